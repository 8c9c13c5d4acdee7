package demo

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// item is one thing inside a body, as the receiver lists it.
type item struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	Link  string `json:"link,omitempty"` // http and https only
}

// itemsOf lists the content of a body: the items of the generic format, the
// text of a chat message, or the type of an event that stands alone. A body of
// another shape has none; it is still shown as it came.
func itemsOf(body []byte) []item {
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
	var items []item
	for _, list := range [][]entry{in.Questions, in.Answers, in.Comments} {
		for _, e := range list {
			if e.Title == "" {
				e.Title = e.Body
			}
			items = append(items, item{Type: e.Type, Title: shorten(e.Title), Link: webLink(e.Link)})
		}
	}
	if in.Text != "" {
		items = append(items, item{Type: "message", Title: shorten(in.Text)})
	}
	for _, kind := range []string{in.Type, in.Hook, in.Event} {
		if kind != "" {
			items = append(items, item{Type: kind, Title: shorten(in.Data.Title), Link: webLink(in.Data.Link)})
		}
	}
	return items
}

// shorten keeps a long text to one line of a list.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= 120 {
		return text
	}
	return string([]rune(text)[:119]) + "…"
}

// webLink lets only web addresses become links.
func webLink(link string) string {
	if u, err := url.Parse(link); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return ""
	}
	return link
}
