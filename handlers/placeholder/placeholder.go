// Package placeholder writes the ${NAME} that stand in files for secrets, and
// fills them in, and makes keys for webhooks that have none. The console and
// sitehooks export write the same names, and sitehooks apply reads them.
package placeholder

import (
	"fmt"
	"regexp"
	"strings"
)

// Thing is what the names of a thing's variables begin with: PYTHON_ACCEPTED.
type Thing string

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// Key makes a key of the name of a webhook that has none: one that is not taken.
func Key(name string, taken func(key string) bool) string {
	base := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(base) > 56 {
		base = strings.Trim(base[:56], "-")
	}
	if !strings.ContainsAny(base, "abcdefghijklmnopqrstuvwxyz") {
		base = strings.Trim("webhook-"+base, "-")
	}
	key := base
	for n := 2; taken(key); n++ {
		key = fmt.Sprintf("%s-%d", base, n)
	}
	return key
}

// Webhook is the webhook with a key.
func Webhook(key string) Thing { return Thing(variable(key)) }

// Source is the source of a name. A webhook may have the same one.
func Source(name string) Thing { return Thing(variable("source-" + name)) }

// URL stands for the URL of a thing.
func (t Thing) URL() string { return fmt.Sprintf("${%s_URL}", t) }

// Header stands for the value of a custom header.
func (t Thing) Header(name string) string { return fmt.Sprintf("${%s_HEADER_%s}", t, upper(name)) }

// Secret stands for a signing secret, 1 or 2.
func (t Thing) Secret(n int) string { return fmt.Sprintf("${%s_SECRET_%d}", t, n) }

// variable is a name as environment variables have it, which do not begin with
// a digit.
func variable(name string) string {
	name = upper(name)
	if name == "" || name[0] >= '0' && name[0] <= '9' || name[0] == '_' {
		name = "WEBHOOK_" + strings.TrimLeft(name, "_")
	}
	return name
}

// upper keeps the length of a name, so that a-b and a--b have variables of their
// own.
func upper(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

// Escape writes text so that no placeholder is in it.
func Escape(text string) string { return strings.ReplaceAll(text, "${", "$${") }

var placeholders = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// Fill puts the value of each variable in its place, and takes back Escape.
func Fill(text string, value func(name string) string) string {
	return placeholders.ReplaceAllStringFunc(text, func(found string) string {
		if found == "$${" {
			return "${"
		}
		return value(strings.Trim(found, "${}"))
	})
}
