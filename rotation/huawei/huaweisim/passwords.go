package huaweisim

import (
	"net/http"
	"slices"
	"strings"
)

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	special = "!@%-_=+[]:./?"
)

// checkPassword refuses what the rules do not allow: 8 to 26 characters, three of four kinds, neither user name nor its
// reverse, and for Windows no three characters in a row of the user name. It knows no case in names, and does not allow
// either name on either system: the newer page, and the older one, read strictly.
// https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0306.html and the SDK's comments on it. The message never
// holds the password.
func checkPassword(password string, windows bool) *apiError {
	broken := func(why string) *apiError {
		return refuse(http.StatusBadRequest, "Ecs.0011", "The password does not meet the complexity requirements: %s.", why)
	}
	kinds := 0
	for _, kind := range []string{lower, upper, digits, special} {
		if strings.ContainsAny(password, kind) {
			kinds++
		}
	}
	switch {
	case len(password) < 8 || len(password) > 26:
		return broken("its length")
	case strings.Trim(password, lower+upper+digits+special) != "":
		return broken("a character that is not allowed")
	case kinds < 3:
		return broken("too few kinds of characters")
	}
	folded := strings.ToLower(password)
	for _, name := range []string{"root", "administrator"} {
		reverse := []byte(name)
		slices.Reverse(reverse)
		if strings.Contains(folded, name) || strings.Contains(folded, string(reverse)) {
			return broken("a user name")
		}
	}
	for i := range len("administrator") - 2 {
		if windows && strings.Contains(folded, "administrator"[i:i+3]) {
			return broken("three characters in a row of the user name")
		}
	}
	return nil
}
