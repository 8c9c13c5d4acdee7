package web

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"sync"

	"github.com/gin-gonic/gin/binding"
	"github.com/go-playground/validator/v10"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

const (
	// NameMax is how long the name of a location, member or token may be, in
	// characters.
	NameMax = 100
	// TextMax is how long a description or a reason may be, in characters.
	TextMax = 500
)

// locationSlug matches the locations that the ingest API accepts.
var locationSlug = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// rules are the rules for binding tags besides the validator's own.
var rules = map[string]func(value string) bool{
	"line":     func(value string) bool { return wording.IsPrintable(value, "") },
	"lines":    func(value string) bool { return wording.IsPrintable(value, "\n\t") },
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

func isEmail(value string) bool {
	a, err := mail.ParseAddress(value)
	return err == nil && a.Address == value && len(value) <= 254 && wording.IsText(value)
}
