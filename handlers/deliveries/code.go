package deliveries

import (
	"bytes"
	"encoding/json"
	"strings"
)

// CodePart is a piece of a shown body with the class that colours it.
type CodePart struct{ Class, Text string }

// codeColoured is the size in bytes above which a body is shown in one colour:
// a page of a hundred thousand pieces is of no use.
const codeColoured = 64 << 10

// PrettyCode shows JSON with two spaces a level and its parts coloured, and
// everything else as it is. Keys, numbers and their order stay as they came.
func PrettyCode(raw []byte) []CodePart {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return plainCode(raw)
	}
	if b.Len() > codeColoured {
		return plainCode(b.Bytes())
	}
	return colourJSON(b.String())
}

// plainCode shows a body as it came.
func plainCode(raw []byte) []CodePart {
	if len(raw) == 0 {
		return nil
	}
	return []CodePart{{Text: strings.ToValidUTF8(string(raw), "\uFFFD")}}
}

// colourJSON cuts valid JSON into strings, names, numbers, words and the rest.
func colourJSON(text string) []CodePart {
	var parts []CodePart
	add := func(class, s string) {
		if n := len(parts); n > 0 && parts[n-1].Class == class {
			parts[n-1].Text += s
			return
		}
		parts = append(parts, CodePart{class, s})
	}
	for i := 0; i < len(text); {
		n, class := 1, ""
		switch c := text[i]; {
		case c == '"':
			n, class = stringLength(text[i:]), "hljs-string"
			if strings.HasPrefix(text[i+n:], ":") {
				class = "hljs-attr"
			}
		case c == '-' || c >= '0' && c <= '9':
			n, class = runLength(text[i:], "+-.0123456789eE"), "hljs-number"
		case c >= 'a' && c <= 'z':
			n, class = runLength(text[i:], "abcdefghijklmnopqrstuvwxyz"), "hljs-literal"
		}
		add(class, strings.ToValidUTF8(text[i:i+n], "\uFFFD"))
		i += n
	}
	return parts
}

// stringLength is the length of the JSON string that text begins with.
func stringLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func runLength(text, of string) int {
	n := 0
	for n < len(text) && strings.IndexByte(of, text[n]) >= 0 {
		n++
	}
	return n
}
