package web

import (
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-playground/validator/v10"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// sentences are the messages for broken rules, by field and rule, or by rule
// for all other fields. {length} is that of the value in characters, {max} the
// rule's parameter.
var sentences = map[string]string{
	"do oneof":                   "Choose what to do with the selected webhooks: pause, resume or delete.",
	"email":                      "This is not an e-mail address. Enter one such as mary@example.com.",
	"email required":             "Enter an e-mail address.",
	"floor gte":                  "This request does not say how far back it goes. Start again from the list.",
	"floor required":             "This request does not say how far back it goes. Start again from the list.",
	"headers max":                "This is longer than {max} characters.",
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
	"tags max":                   "This is longer than {max} characters.",
	"theme oneof":                "Unknown appearance.",
	"through gt":                 "This request does not name the deliveries. Start again from the list.",
}

// sentenceOf is the message about a field's fault.
func sentenceOf(broken validator.FieldError) string {
	field, rule := fieldOf(broken), broken.ActualTag()
	value := reflect.ValueOf(broken.Value()).String()
	if rule == "password" {
		return wording.Sentence(CheckPassword(value))
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
