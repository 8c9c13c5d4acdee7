package admin

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/web"

	"github.com/sitehooks/sitehooks/models"
)

// descriptionMax is how long a description may be, in characters.
const descriptionMax = 500

// calledForm is what was typed as name and description, and what is wrong
// with it.
type calledForm struct {
	models.Called
	Faults web.Faults
}

func readCalled(form url.Values) calledForm {
	f := calledForm{models.Called{
		Name:        strings.TrimSpace(form.Get("name")),
		Description: strings.TrimSpace(strings.ReplaceAll(form.Get("description"), "\r\n", "\n")),
	}, web.Faults{}}
	if wrong := web.CheckName(f.Name); wrong != "" {
		f.Faults.Add("name", wrong)
	}
	if wrong := checkDescription(f.Description); wrong != "" {
		f.Faults.Add("description", wrong)
	}
	return f
}

// checkDescription says in a sentence what is wrong; empty: nothing.
func checkDescription(text string) string {
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	switch n := utf8.RuneCountInString(text); {
	case n > descriptionMax:
		return "This has " + web.Count(int64(n)) + " characters; a description has up to " + web.Count(descriptionMax) + "."
	case !web.IsText(text) || strings.ContainsFunc(text, odd):
		return "This has characters in it that cannot be shown."
	}
	return ""
}
