package rotation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// MarkState is what a mark says of its machine.
type MarkState string

const (
	// MarkDown: we are about to stop it; whoever sees it stopped starts it.
	MarkDown MarkState = "down"
	// MarkUp: it was seen running again, and is not proven.
	MarkUp MarkState = "up"
	// MarkOK: it is proven on the mark's generation; where acceptance suffices by configuration, accepted.
	MarkOK MarkState = "ok"
)

// The tags that carry a mark on a machine.
const (
	MarkTag   = "relock"        // Mark.Value
	SecretTag = "relock-secret" // Mark.Secret
)

// markModulo keeps the values of the tag below the 1,000 per key that Tencent Cloud allows: 7 states x 140 = 980
// (https://www.tencentcloud.com/document/product/651/13354).
const markModulo = 140

// maxTries is the largest number of tries that a mark can say.
const maxTries = 3

// A Mark is what relock notes on a machine itself. It is economy and courtesy: it says which machine is owed a start and
// which needs no second stop. No password's safety rests on it. The zero Mark is none, and proves nothing.
type Mark struct {
	// Secret names the secret that the machine belongs to (see MarkSecret); empty means none.
	Secret string
	// Generation is modulo 140.
	Generation int
	State      MarkState
	// Tries is how often the machine was stopped for this generation, 1 to 3; 0 with MarkOK.
	Tries int
}

var markValue = regexp.MustCompile(`^([0-9]{1,3})\.(?:(down|up)\.([1-3])|(ok))$`)

// Value is the text of the tag MarkTag; empty for a mark without a state. It is one small value so that it cannot tear.
func (m Mark) Value() string {
	switch m.State {
	case MarkOK:
		return fmt.Sprintf("%d.ok", m.Generation)
	case MarkDown, MarkUp:
		return fmt.Sprintf("%d.%s.%d", m.Generation, m.State, m.Tries)
	}
	return ""
}

// ParseMark reads the two tags of a mark. A value that is none of ours gives a mark without a state.
func ParseMark(tags map[string]string) Mark {
	m := Mark{Secret: tags[SecretTag]}
	p := markValue.FindStringSubmatch(strings.TrimSpace(tags[MarkTag]))
	if p == nil {
		return m
	}
	generation, err := strconv.Atoi(p[1])
	if err != nil || generation >= markModulo {
		return m
	}
	m.Generation = generation
	if p[4] != "" {
		m.State = MarkOK
		return m
	}
	m.State = MarkState(p[2])
	m.Tries, _ = strconv.Atoi(p[3])
	return m
}

// names reports whether the mark speaks of this version of this secret.
func (m Mark) names(secret string, generation int) bool {
	return m.State != "" && m.Secret == secret && m.Generation == generation%markModulo
}

// MarkSecret is the value of the tag SecretTag: 12 hexadecimal digits that name a secret without revealing where it is.
// birth is the random id that the secret got with its first version, so that a secret that was deleted and made again
// is another one.
func MarkSecret(provider, region, secret, birth string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{provider, region, secret, birth}, "\x00")))
	return hex.EncodeToString(sum[:6])
}
