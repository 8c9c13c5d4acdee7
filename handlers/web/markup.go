package web

import (
	"html/template"
	"strings"
)

// Markup is HTML that is not left to a template because there is much of it:
// the rows of a list, the options of a select.
type Markup struct{ strings.Builder }

// Add appends HTML of ours. Each % in it gives way to the next of the words,
// escaped for text and for attributes in quotes.
func (m *Markup) Add(ours string, words ...string) {
	for _, word := range words {
		before, after, _ := strings.Cut(ours, "%")
		m.WriteString(before)
		m.WriteString(template.HTMLEscapeString(word))
		ours = after
	}
	m.WriteString(ours)
}

// Html is what was added.
func (m *Markup) Html() template.HTML { return template.HTML(m.String()) } //nolint:gosec // all words in it are escaped

// options are the entries of a select.
func options(list []Choice) template.HTML {
	var m Markup
	for _, c := range list {
		m.Add(`<option value="%"`, c.Value)
		if c.Chosen {
			m.Add(` selected`)
		}
		m.Add(`>%</option>`, c.Label)
	}
	return m.Html()
}

// Owner says whose a webhook is, or that it is nobody's and who made it.
func Owner(id int64, name string) template.HTML {
	var m Markup
	switch {
	case id != 0:
		m.Add(`<bdi>%</bdi>`, name)
	case name != "":
		m.Add(`no owner <span class="sub">made by <bdi>%</bdi></span>`, name)
	default:
		m.Add(`no owner`)
	}
	return m.Html()
}
