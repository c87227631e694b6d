package simcloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Digest is the SHA-256 of b in lower-case hexadecimal.
func Digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// MAC is the HMAC-SHA256 of a text.
func MAC(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Equal compares two texts in constant time. An empty text equals nothing.
func Equal(a, b string) bool {
	return a != "" && hmac.Equal([]byte(a), []byte(b))
}

// Authorization takes a header "ALGORITHM Name=value, Name=value" apart. It reports false for another algorithm, and when
// the names are not all these.
func Authorization(header, algorithm string, names ...string) (map[string]string, bool) {
	text, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return nil, false
	}
	fields := make(map[string]string)
	for field := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		if !slices.Contains(names, name) {
			return nil, false
		}
		fields[name] = value
	}
	for _, name := range names {
		ok = ok && fields[name] != ""
	}
	return fields, ok
}
