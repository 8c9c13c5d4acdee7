package rules

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-playground/validator/v10"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// sentences are the messages for broken rules: by rule, by field and rule, and
// by either of them in one struct, whose name then stands in front. {value} is
// the value, {length} its length in characters, {limit} the rule's parameter, {choices} its words.
var sentences = map[string]string{ //nolint:gosec // sentences about passwords, none of them
	"activity":                   ignored("activity"),
	"audit_subject":              ignored("thing that is changed"),
	"before number":              ignored("place in the list"),
	"bytes":                      "Use at most {limit} bytes.",
	"code oneof":                 ignored("class of status"),
	"content events max":         "A webhook can have up to {limit} activities.",
	"content events min":         "Choose at least one activity.",
	"content line":               "This contains line breaks or other characters that cannot be shown.",
	"content location required":  "Choose a location.",
	"content max":                "This is longer than {limit} characters.",
	"content name required":      "Enter a name, for example “Python Accepted Answers”.",
	"content tag_mode oneof":     "Choose All tags or Specific tags.",
	"delivery_state":             ignored("state of a delivery"),
	"DeliveryFilter code oneof":  "Use one of: {choices}.",
	"DeliveryFilter error_class": "There is no class of errors of this name.",
	"DeliveryFilter event_type":  "This is not an event type, such as question.created.",
	"EventFilter event_type":     "This is not an event type, such as question.created.",
	"ResendInput code oneof":     "Use one of: {choices}.",
	"ResendInput error_class":    "There is no class of errors of this name.",
	"ResendInput event_type":     "This is not an event type, such as question.created.",
	"value required":             "Give a value.",
	"do oneof":                   "Choose what to do with the selected webhooks: pause, resume or delete.",
	"email":                      "This is not an e-mail address. Enter one such as mary@example.com.",
	"email required":             "Enter an e-mail address.",
	"error_class":                ignored("class of error"),
	"event_spelling":             ignored("event type"),
	"Events json_texts":          "They must be a list of names.",
	"floor gte":                  "This request does not say how far back it goes. Start again from the list.",
	"floor required":             "This request does not say how far back it goes. Start again from the list.",
	"Headers json_object":        "They must be a JSON object whose values are strings.",
	"headers max":                "This is longer than {limit} characters.",
	"held oneof":                 "Choose whether to send or drop the held notifications: held must be send or drop.",
	"held required_if":           "Choose whether to send or drop the held notifications: held must be send or drop.",
	"id max":                     "Too many webhooks are selected. Select fewer.",
	"id required_without":        "No webhook is selected. Select at least one in the list.",
	"hidden oneof":               "Choose whether to hide it: hidden must be yes or no.",
	"json_once":                  "It appears twice.",
	"json_text":                  "It must be a string.",
	"json_whole":                 "It must be a whole number.",
	"kind oneof":                 "Choose Main site or Private Team.",
	"limited oneof":              "Choose all locations or only some.",
	"line":                       "This contains characters that cannot be shown.",
	"lines":                      "This contains characters that cannot be shown.",
	"max":                        "This has {length} characters; a {field} can have up to {limit}.",
	"moment":                     ignored("date and time"),
	"name required":              "Enter a name.",
	"namedByQuery json_given":    "The address must name the webhook, as in ?webhookId=1.",
	"new_password min":           "Use at least {limit} characters.",
	"new_password nefield":       "Choose a password that differs from the current one.",
	"new_password_again eqfield": "The two passwords differ.",
	"notice":                     "There is no such notice.",
	"now gt":                     "This request has no time. Start again from the list.",
	"oneof":                      "Use one of: {choices}.",
	"plugin_type":                "The only supported type is “webhook”.",
	"Properties json_object":     "They must be a JSON object.",
	"reason required":            "Give a reason.",
	"reason visible":             "Give a reason.",
	"revoke gt":                  "Unknown token: revoke must be a token's number.",
	"role oneof":                 "Choose administrator or viewer.",
	"scope oneof":                "Choose what the token is for.",
	"rfc3339":                    "Use a time such as 2026-11-21T01:39:18Z.",
	"slug":                       "Use 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers.",
	"state":                      "It must be Unknown, Active, Stopped or TooManyErrors, or its number from 0 to 3.",
	"tags max":                   "This is longer than {limit} characters.",
	"theme oneof":                "Unknown appearance.",
	"through gt":                 "This request does not name the deliveries. Start again from the list.",
	"time oneof":                 ignored("span of time"),
	"limit gte":                  "Use a whole number from 1 to 200.",
	"limit lte":                  "Use a whole number from 1 to 200.",
	"webhook_state":              ignored("state of a webhook"),
	"webhooksQuery webhook_type": ignored("type of webhook"),
	"webhook_type":               "There is no type of this name.",
	"webhook_key":                "Use 1 to 64 lower-case letters, digits and hyphens, with at least one letter, such as python-accepted.",
	"webhook json_given":         "The definition to test is missing.",
	"webhook number":             ignored("webhook"),
	"webhookId json_given":       "Name the webhook by its number.",
}

// ignored is the sentence about a filter that is not in force.
func ignored(what string) string {
	return fmt.Sprintf("“{value}” is not a valid %s, so it was ignored.", what)
}

// faultOf puts a broken rule into words.
func faultOf(broken validator.FieldError) Fault {
	field, _, _ := strings.Cut(broken.Field(), "[")
	name, _, _ := strings.Cut(broken.StructField(), "[")
	in, _, _ := strings.Cut(broken.Namespace(), ".")
	f := Fault{Field: field, Rule: broken.ActualTag(), Text: "This value is not valid.", name: name}
	for _, key := range []string{in + " " + field + " " + f.Rule, in + " " + f.Rule, field + " " + f.Rule, f.Rule} {
		if text, known := sentences[key]; known {
			f.Text = text
			break
		}
	}
	value := reflect.ValueOf(broken.Value()).String()
	limit, _ := strconv.ParseInt(broken.Param(), 10, 64)
	f.Text = strings.NewReplacer(
		"{value}", wording.Cut(value, 60), "{length}", wording.Count(int64(utf8.RuneCountInString(value))),
		"{field}", field, "{limit}", wording.Count(limit), "{choices}", strings.Join(strings.Fields(broken.Param()), ", "),
	).Replace(f.Text)
	return f
}
