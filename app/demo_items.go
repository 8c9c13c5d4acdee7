package app

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// demoItem is one thing inside a body, as the receiver lists it.
type demoItem struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	Link  string `json:"link,omitempty"` // http and https only
}

// demoItems lists what is inside a body: the items of the generic format, the
// text of a chat message, or the type of an event that stands alone. A body of
// another shape has none; it is still shown as it came.
func demoItems(body []byte) []demoItem {
	type entry struct{ Type, Title, Body, Link string }
	var in struct {
		Questions, Answers, Comments []entry
		Text                         string
		Type, Hook, Event            string
		Data                         entry
	}
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	var items []demoItem
	for _, list := range [][]entry{in.Questions, in.Answers, in.Comments} {
		for _, e := range list {
			if e.Title == "" {
				e.Title = e.Body
			}
			items = append(items, demoItem{Type: e.Type, Title: demoShort(e.Title), Link: demoLink(e.Link)})
		}
	}
	if in.Text != "" {
		items = append(items, demoItem{Type: "message", Title: demoShort(in.Text)})
	}
	for _, kind := range []string{in.Type, in.Hook, in.Event} {
		if kind != "" {
			items = append(items, demoItem{Type: kind, Title: demoShort(in.Data.Title), Link: demoLink(in.Data.Link)})
		}
	}
	return items
}

// demoShort keeps a long text to one line of a list.
func demoShort(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= 120 {
		return text
	}
	return string([]rune(text)[:119]) + "…"
}

// demoLink lets only web addresses become links.
func demoLink(link string) string {
	if u, err := url.Parse(link); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return ""
	}
	return link
}
