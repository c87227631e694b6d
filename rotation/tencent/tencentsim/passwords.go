package tencentsim

import "strings"

// A rule is what a password has to be like.
type rule struct {
	code     string // with which others are refused
	shortest int
	longest  int
	classes  []string // each a group of characters that counts as one
	atLeast  int      // how many of them have to occur
	nameless bool     // must not contain the user's name
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	special = "()`~!@#$%^&*-+=_|{}[]:;'<>,.?/"
	// special2018 has no backtick: the page of 2018 prints the tilde twice.
	special2018 = "()~!@#$%^&*-+=_|{}[]:;'<>,.?/"
)

// linuxRule and windowsRule are the rules of https://www.tencentcloud.com/document/product/213/33250, last updated
// 2025-12-17. The Windows list prints a space between ' and <, which is taken for a misprint: the space is refused.
func linuxRule() rule {
	return rule{code: "InvalidParameterValue.InvalidPassword", shortest: 8, longest: 30,
		classes: []string{lower, upper, digits, special}, atLeast: 3}
}

func windowsRule() rule {
	r := linuxRule()
	r.shortest, r.nameless = 12, true
	return r
}

// linuxRule2018 and windowsRule2018 are those of the same page, last updated 2018-10-12: Linux counts all letters as
// one class.
func linuxRule2018() rule {
	return rule{code: "InvalidPassword", shortest: 8, longest: 16,
		classes: []string{lower + upper, digits, special2018}, atLeast: 2}
}

func windowsRule2018() rule {
	return rule{code: "InvalidPassword", shortest: 12, longest: 16,
		classes: []string{lower, upper, digits, special2018}, atLeast: 3}
}

// check refuses a password that breaks the rule. The message never holds it.
func (r rule) check(password string, users []string) error {
	broken := func(why string) error {
		return refuse(r.code, "The specified password does not meet the complexity requirements: %s.", why)
	}
	if len(password) < r.shortest || len(password) > r.longest {
		return broken("its length")
	}
	if password[0] == '/' {
		return broken("it starts with /")
	}
	if strings.Trim(password, strings.Join(r.classes, "")) != "" {
		return broken("a character that is not allowed")
	}
	classes := 0
	for _, class := range r.classes {
		if strings.ContainsAny(password, class) {
			classes++
		}
	}
	if classes < r.atLeast {
		return broken("too few kinds of characters")
	}
	for _, user := range users {
		if r.nameless && user != "" && strings.Contains(strings.ToLower(password), strings.ToLower(user)) {
			return broken("it contains the user name")
		}
	}
	return nil
}
