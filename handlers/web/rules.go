package web

import (
	"fmt"
	"net/mail"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin/binding"
	"github.com/go-playground/validator/v10"
)

const (
	// NameMax is how long the name of a location, member or token may be, in
	// characters.
	NameMax = 100
	// TextMax is how long a description or a reason may be, in characters.
	TextMax = 500
)

// locationSlug is what the ingest API takes as a location.
var locationSlug = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// rules are what binding tags may say beside the validator's own rules.
var rules = map[string]func(value string) bool{
	"line":     func(value string) bool { return isPrintable(value, "") },
	"lines":    func(value string) bool { return isPrintable(value, "\n\t") },
	"email":    isEmail,
	"slug":     locationSlug.MatchString,
	"password": func(value string) bool { return CheckPassword(value) == nil },
	"notice":   asideKey.MatchString,
}

// aliases are rules made of others.
var aliases = map[string]string{
	"name": fmt.Sprintf("max=%d,line", NameMax),
	"text": fmt.Sprintf("max=%d,lines", TextMax),
}

// sentences say what is wrong where a rule is broken, by field and rule, or by
// rule for all other fields. {length} is that of the value in characters, {max}
// the rule's parameter.
var sentences = map[string]string{
	"do oneof":                   "Choose what to do with the selected webhooks: pause, resume or delete.",
	"email":                      "This is not an e-mail address. Enter one such as mary@example.com.",
	"email required":             "Enter an e-mail address.",
	"floor gte":                  "This request does not say how far back it goes. Start again from the list.",
	"floor required":             "This request does not say how far back it goes. Start again from the list.",
	"held oneof":                 "Choose whether to send or drop the held notifications: held must be send or drop.",
	"held required_if":           "Choose whether to send or drop the held notifications: held must be send or drop.",
	"id max":                     "Too many webhooks are selected. Select fewer.",
	"id min":                     "No webhook is selected. Select at least one in the list.",
	"line":                       "This contains characters that cannot be shown.",
	"lines":                      "This contains characters that cannot be shown.",
	"max":                        "This has {length} characters; a {field} can have up to {max}.",
	"name required":              "Enter a name.",
	"new_password nefield":       "Choose a password that differs from the current one.",
	"new_password_again eqfield": "The two passwords differ.",
	"notice":                     "There is no such notice.",
	"now gt":                     "This request has no time. Start again from the list.",
	"reason required":            "Give a reason.",
	"revoke gt":                  "Unknown token: revoke must be a token's number.",
	"role oneof":                 "Choose administrator or viewer.",
	"scope oneof":                "Choose what the token is for.",
	"slug":                       "Use 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers.",
	"theme oneof":                "Unknown appearance.",
	"through gt":                 "This request does not name the deliveries. Start again from the list.",
}

// registerRules teaches gin's validator our rules. An error is a fault in the
// tables above.
var registerRules = sync.OnceValue(func() error {
	v, _ := binding.Validator.Engine().(*validator.Validate)
	v.RegisterTagNameFunc(FormName)
	for name, holds := range rules {
		check := func(f validator.FieldLevel) bool { return holds(f.Field().String()) }
		if err := v.RegisterValidation(name, check); err != nil {
			return fmt.Errorf("rule %s: %w", name, err)
		}
	}
	for name, tags := range aliases {
		v.RegisterAlias(name, tags)
	}
	return nil
})

// fieldOf is the field of a broken rule, that of a list for one of its entries.
func fieldOf(broken validator.FieldError) string {
	name, _, _ := strings.Cut(broken.Field(), "[")
	return name
}

// sentenceOf says what is wrong with a field.
func sentenceOf(broken validator.FieldError) string {
	field, rule := fieldOf(broken), broken.ActualTag()
	value := reflect.ValueOf(broken.Value()).String()
	if rule == "password" {
		return Sentence(CheckPassword(value))
	}
	text, known := sentences[field+" "+rule]
	if !known {
		text = sentences[rule]
	}
	limit, _ := strconv.ParseInt(broken.Param(), 10, 64)
	return strings.NewReplacer(
		"{length}", Count(int64(utf8.RuneCountInString(value))), "{field}", field, "{max}", Count(limit),
	).Replace(OrNone(text, "This value is not valid."))
}

// isPrintable tells text without control characters other than those given.
func isPrintable(value, but string) bool {
	odd := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(but, r) }
	return IsText(value) && !strings.ContainsFunc(value, odd)
}

func isEmail(value string) bool {
	a, err := mail.ParseAddress(value)
	return err == nil && a.Address == value && len(value) <= 254 && IsText(value)
}
