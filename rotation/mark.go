package rotation

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// MarkState is what a mark says of its machine.
type MarkState string

const (
	// MarkDown: we are about to stop it; whoever sees it stopped starts it.
	MarkDown MarkState = "down"
	// MarkUp: it was seen running again, and is not proven.
	MarkUp MarkState = "up"
	// MarkWait: its reset was accepted, and the password takes effect at its next boot.
	MarkWait MarkState = "wait"
	// MarkOK: it is proven on the mark's generation; where acceptance suffices by configuration, accepted.
	MarkOK MarkState = "ok"
)

// The tags that carry a mark on a machine.
const (
	MarkTag   = "relock"        // Mark.Value
	SecretTag = "relock-secret" // Mark.Secret
)

// markModulo keeps the values of the tag below the 1,000 per key that Tencent Cloud allows: 7 states x 140 = 980
// (https://www.tencentcloud.com/document/product/651/13354). MarkWait is not among them: a reset takes effect at once there.
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
	// Tries is how often the machine was stopped for this generation, 1 to 3; 0 with MarkOK, and 0 to 3 with MarkWait.
	Tries int
	// Refused is, with MarkWait, when the machine last refused the password at a login, in units of 5 minutes since 1970.
	// Zero means that it did not.
	Refused int
}

// Value is the text of the tag MarkTag; empty for a mark without a state. It is one small value so that it cannot tear.
func (m Mark) Value() string {
	said := strconv.Itoa(m.Generation) + "." + string(m.State)
	switch m.State {
	case MarkOK:
		return said
	case MarkWait:
		return said + "." + strconv.Itoa(m.Tries) + "." + strconv.Itoa(m.Refused)
	case MarkDown, MarkUp:
		return said + "." + strconv.Itoa(m.Tries)
	}
	return ""
}

// ParseMark reads the two tags of a mark. A value that is none of ours gives a mark without a state.
func ParseMark(tags map[string]string) Mark {
	none := Mark{Secret: tags[SecretTag]}
	generation, said, _ := strings.Cut(strings.TrimSpace(tags[MarkTag]), ".")
	state, numbers, more := strings.Cut(said, ".")
	m, ok, valid := none, false, false
	m.State = MarkState(state)
	switch m.State {
	case MarkOK:
		valid = !more
	case MarkDown, MarkUp:
		m.Tries, ok = number(numbers, 1)
		valid = ok && m.Tries >= 1
	case MarkWait:
		tries, refused, _ := strings.Cut(numbers, ".")
		m.Tries, ok = number(tries, 1)
		m.Refused, valid = number(refused, 9)
		valid = ok && valid
	}
	m.Generation, ok = number(generation, 3)
	if !ok || !valid || m.Generation >= markModulo || m.Tries > maxTries {
		return none
	}
	return m
}

// number reads a number of 1 to most digits.
func number(text string, most int) (n int, ok bool) {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(text) >= 1 && len(text) <= most
}

// names reports whether the mark speaks of this version of this secret.
func (m Mark) names(secret string, generation int) bool {
	return m.State != "" && m.Secret == secret && m.Generation == generation%markModulo
}

// refusedUnit is the unit of Mark.Refused.
const refusedUnit = 5 * time.Minute

// refusedAt notes a login that was refused; rounded up, so that the next one is not earlier than it may be.
func refusedAt(now time.Time) int {
	return int((now.Unix() + int64(refusedUnit/time.Second) - 1) / int64(refusedUnit/time.Second))
}

// nextLogin is when a machine that waits for its boot may be tried again with the password of a version made at created.
// Until it has booted it refuses it, and wrong passwords lock accounts: pam_faillock, by default, at the third within 15
// minutes (https://man7.org/linux/man-pages/man8/pam_faillock.8.html). So the pauses grow, from 15 minutes to 6 hours.
func (m Mark) nextLogin(created time.Time) time.Time {
	if m.Refused == 0 {
		return time.Time{}
	}
	last := time.Unix(int64(m.Refused)*int64(refusedUnit/time.Second), 0)
	return last.Add(min(max(last.Sub(created), 15*time.Minute), 6*time.Hour))
}

// MarkSecret is the value of the tag SecretTag: 12 hexadecimal digits that name a secret without revealing where it is.
// birth is the random id that the secret got with its first version, so that a secret that was deleted and made again
// is another one.
func MarkSecret(provider, region, secret, birth string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{provider, region, secret, birth}, "\x00")))
	return hex.EncodeToString(sum[:6])
}
