package app_test

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// void are the elements that have no end.
var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// blocks are elements that a paragraph cannot hold.
var blocks = []string{
	"article", "aside", "blockquote", "details", "div", "dl", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4",
	"header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul",
}

// markupFaults reads a page as it was sent, before a browser mends it: ends
// that fit their beginnings, no attribute twice, no element inside one that
// cannot contain it.
func markupFaults(page string) (faults []string) {
	var open []string
	within := func(names ...string) bool {
		return slices.ContainsFunc(open, func(name string) bool { return slices.Contains(names, name) })
	}
	scan := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := scan.Next(); kind { //nolint:exhaustive // text and comments are not looked at
		case html.ErrorToken:
			if !errors.Is(scan.Err(), io.EOF) {
				faults = append(faults, scan.Err().Error())
			}
			if len(open) > 0 {
				faults = append(faults, "never ended: "+strings.Join(open, " "))
			}
			return faults
		case html.StartTagToken, html.SelfClosingTagToken:
			raw := string(scan.Raw()) // the tokens have each attribute once
			tag := scan.Token()
			seen := map[string]bool{}
			for _, a := range attributeIn.FindAllStringSubmatch(raw, -1) {
				if seen[a[1]] {
					faults = append(faults, "twice "+a[1]+" in "+tag.String())
				}
				seen[a[1]] = true
			}
			switch {
			case slices.Contains(blocks, tag.Data) && within("p"), tag.Data == "form" && within("form"),
				(tag.Data == "a" || tag.Data == "button") && within("a", "button"), tag.Data == "button" && within("summary"):
				faults = append(faults, tag.String()+" in "+strings.Join(open, " "))
			}
			if kind == html.StartTagToken && !slices.Contains(void, tag.Data) {
				open = append(open, tag.Data)
			}
		case html.EndTagToken:
			tag := scan.Token()
			if len(open) == 0 || open[len(open)-1] != tag.Data {
				return append(faults, fmt.Sprintf("%s ends %v", tag.String(), open))
			}
			open = open[:len(open)-1]
		}
	}
}

// attributeIn finds the attributes of a tag, with their values.
var attributeIn = regexp.MustCompile(`\s([a-zA-Z-]+)(?:=(?:"[^"]*"|'[^']*'|[^\s>]+))?`)

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf is all text in an element, the words of labelled pictures included.
func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	parts := []string{attribute(n, "aria-label")}
	for child := range n.ChildNodes() {
		parts = append(parts, textOf(child))
	}
	return strings.Join(parts, "")
}

// treeFaults checks a page as a browser parses it: every reference has its
// target, every control has a name, headings are in order.
func treeFaults(page string) (faults []string) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []string{err.Error()}
	}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	ids, labels, count := map[string]*html.Node{}, map[string]bool{}, map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		if id := attribute(n, "id"); id != "" {
			if ids[id] != nil {
				fault("twice the id %s", id)
			}
			ids[id] = n
		}
		if n.Data == "label" && strings.TrimSpace(textOf(n)) != "" {
			labels[attribute(n, "for")] = true
		}
	}
	for _, name := range []string{"h1", "main", "title"} {
		if count[name] != 1 {
			fault("%d × %s", count[name], name)
		}
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, name := range []string{"for", "form", "list", "aria-labelledby", "aria-describedby", "aria-controls", "aria-activedescendant", "aria-owns"} {
			for id := range strings.FieldsSeq(attribute(n, name)) {
				if ids[id] == nil {
					fault("%s of %s finds no %q", name, n.Data, id)
				}
			}
		}
		if attribute(n, "data-copy") != "" && !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "hidden" }) {
			fault("a button copies by a script alone and is not hidden")
		}
		if at, is := strings.CutPrefix(attribute(n, "href"), "#"); is && n.Data == "a" && ids[at] == nil {
			fault("a link leads to #%s, which is not there", at)
		}
		if n.Data == "label" && !slices.Contains([]string{"input", "select", "textarea"}, named(ids[attribute(n, "for")])) {
			fault("the label %q is of no control", textOf(n))
		}
		hidden := attribute(n, "type") == "hidden" || attribute(n, "aria-hidden") == "true"
		name := attribute(n, "aria-label") + attribute(n, "aria-labelledby")
		switch n.Data {
		case "input", "select", "textarea":
			if !hidden && name == "" && !labels[attribute(n, "id")] {
				fault("%s %s has no label", n.Data, attribute(n, "name"))
			}
		case "a", "button", "summary", "option":
			// An option may be empty: it is in a list that has a name.
			if n.Data != "option" && strings.TrimSpace(name+textOf(n)) == "" {
				fault("%s has no words", n.Data)
			}
		case "html":
			if attribute(n, "lang") == "" {
				fault("the page has no language")
			}
		}
	}
	return faults
}

func named(n *html.Node) string {
	if n == nil {
		return ""
	}
	return n.Data
}

// valid fails for each fault of a page.
func valid(t testing.TB, what, page string) {
	t.Helper()
	if !strings.HasPrefix(page, "<!DOCTYPE html>") {
		t.Errorf("%s does not begin as HTML: %.60q", what, page)
	}
	for _, line := range append(markupFaults(page), treeFaults(page)...) {
		t.Errorf("%s: %s", what, line)
	}
}

// TestFaultyPagesAreFound proves that the checks find faults.
func TestFaultyPagesAreFound(t *testing.T) {
	const good = `<!DOCTYPE html><html lang="en"><head><title>T</title></head><body><main><h1>H</h1>%s</main></body></html>`
	for piece, wants := range map[string]string{
		`<p>fine</p>`: "", `<p id="a">x</p><p id="a">y</p>`: "twice the id a", `<h1>again</h1>`: "2 × h1",
		`<label for="x">X</label>`: "finds no", `<div aria-labelledby="x y"></div>`: "finds no", `<input name="q">`: "has no label",
		`<label for="q">Q</label><input id="q" name="q">`: "", `<input type="hidden" name="q">`: "", `<p class="a" class="b">x</p>`: "twice class",
		`<p><div>x</div></p>`: "in html body main p", `<div><p>x</div>`: "ends", `<form><form></form></form>`: "in html body main form",
		`<a href="/"><svg></svg></a>`: "has no words", `<a href="#x">x</a>`: "not there", `<div id="d">x</div><label for="d">D</label>`: "of no control",
		`<button form="f">x</button>`:         "finds no",
		`<button data-copy="x">Copy</button>`: "not hidden", `<button data-copy="x" hidden>Copy</button>`: "",
	} {
		page := fmt.Sprintf(good, piece)
		got := strings.Join(append(markupFaults(page), treeFaults(page)...), "; ")
		if (wants == "") != (got == "") || !strings.Contains(got, wants) {
			t.Errorf("%s: %q, want %q", piece, got, wants)
		}
	}
}
