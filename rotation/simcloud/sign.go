package simcloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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
