package handlers

import (
	"html/template"
	"strings"
)

// markup is HTML that is not left to a template because there is much of it:
// the rows of a list, the options of a select.
type markup struct{ strings.Builder }

// add appends HTML of ours. Each % in it gives way to the next of the words,
// escaped for text and for attributes in quotes.
func (m *markup) add(ours string, words ...string) {
	for _, word := range words {
		before, after, _ := strings.Cut(ours, "%")
		m.WriteString(before)
		m.WriteString(template.HTMLEscapeString(word))
		ours = after
	}
	m.WriteString(ours)
}

// html is what was added.
func (m *markup) html() template.HTML { return template.HTML(m.String()) } //nolint:gosec // all words in it are escaped

// options are the entries of a select.
func options(list []choice) template.HTML {
	var m markup
	for _, c := range list {
		m.add(`<option value="%"`, c.Value)
		if c.Chosen {
			m.add(` selected`)
		}
		m.add(`>%</option>`, c.Label)
	}
	return m.html()
}

// owner says whose a webhook is, or that it is nobody's and who made it.
func owner(id int64, name string) template.HTML {
	var m markup
	switch {
	case id != 0:
		m.add(`<bdi>%</bdi>`, name)
	case name != "":
		m.add(`no owner <span class="sub">made by <bdi>%</bdi></span>`, name)
	default:
		m.add(`no owner`)
	}
	return m.html()
}
