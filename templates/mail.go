package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	text "text/template"
)

//go:embed mail/letter.txt mail/letter.html
var mails embed.FS

var (
	letterText = text.Must(text.ParseFS(mails, "mail/letter.txt"))
	letterHTML = template.Must(template.ParseFS(mails, "mail/letter.html"))
)

// Letter is what an e-mail says. Its texts are plain.
type Letter struct {
	Subject string
	Intro   []string // paragraphs
	Items   []LetterItem
	Link    string // one to follow; empty: none
	Button  string // the words of Link
	Outro   []string
	Base    string // address of the console
	Foot    []string
}

// LetterItem is one entry of a list.
type LetterItem struct{ Title, Note, Link string }

// Render returns the letter as plain text and as HTML.
func (l Letter) Render() (plain, html string, err error) {
	var p, h bytes.Buffer
	if err := letterText.Execute(&p, l); err != nil {
		return "", "", fmt.Errorf("render e-mail: %w", err)
	}
	if err := letterHTML.Execute(&h, l); err != nil {
		return "", "", fmt.Errorf("render e-mail: %w", err)
	}
	return p.String(), h.String(), nil
}
