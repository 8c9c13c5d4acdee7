package wire

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// inline are the elements that do not part words.
var inline = map[string]bool{
	"a": true, "abbr": true, "b": true, "bdi": true, "bdo": true, "cite": true, "code": true, "del": true, "em": true,
	"font": true, "i": true, "ins": true, "kbd": true, "mark": true, "q": true, "s": true, "samp": true, "small": true,
	"span": true, "strike": true, "strong": true, "sub": true, "sup": true, "tt": true, "u": true, "var": true, "wbr": true,
}

// unread are the elements whose content is not text for readers.
var unread = map[string]bool{"iframe": true, "noscript": true, "script": true, "style": true, "template": true}

// plainText is the readable part of a text that may be HTML, on one line: its
// first characters, at most limit, and an ellipsis if there are more.
func plainText(source string, limit int) string {
	var b strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(source))
	hidden := "" // the element that is passed over
	for enough := 4 * utf8.UTFMax * limit; b.Len() < enough; {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			// An unfinished tag is text: if a<b then.
			b.WriteString(html.UnescapeString(string(tokens.Raw())))
			break
		}
		if kind == html.TextToken {
			if hidden == "" {
				b.Write(tokens.Text())
			}
			continue
		}
		tag, _ := tokens.TagName()
		name := string(tag)
		switch {
		case kind == html.StartTagToken && hidden == "" && unread[name]:
			hidden = name
		case kind == html.EndTagToken && hidden == name:
			hidden = ""
		}
		if kind != html.CommentToken && !inline[name] {
			b.WriteByte(' ')
		}
	}
	return firstCharacters(oneLine(b.String()), limit)
}

// oneLine puts one space for all spaces and line breaks in a row.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
