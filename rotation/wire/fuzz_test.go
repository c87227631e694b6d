package wire_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"github.com/relock-project/relock/rotation/wire"
)

// FuzzVeil: whatever surrounds it, a text that quotes what was sent is withheld as a whole, and one that does not is said.
func FuzzVeil(f *testing.F) {
	const secret = `Canary&24<Xy>%Zq7`
	for _, around := range []string{"", "the value `", "\x00", "…", secret[:4], "%", `\"`} {
		f.Add(around, "is wrong")
		f.Add("chpasswd: ", around)
	}
	hide := wire.For(secret)
	f.Fuzz(func(t *testing.T, before, after string) {
		whole := before + secret + after
		quotes := []string{
			whole, strings.ToUpper(whole), url.QueryEscape(whole), hex.EncodeToString([]byte(whole)),
			base64.StdEncoding.EncodeToString([]byte(whole)), base64.URLEncoding.EncodeToString([]byte(whole)),
			before + secret[:len(secret)/2+1] + after,
		}
		for _, quote := range quotes {
			if said := hide(quote); said == quote || strings.Contains(said, secret[:8]) {
				t.Errorf("%q is said as %q", quote, said)
			}
		}
		if len(before) < 8 && hide(before) != before {
			t.Errorf("%q, which is too short to quote anything, is withheld", before)
		}
	})
}
