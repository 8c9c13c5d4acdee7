package templates_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/templates"
)

func TestNothingIsWrittenUnlessThePageIsWhole(t *testing.T) {
	set, err := templates.New(web.Funcs(func(name string) string { return "/static/" + name }))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	for _, page := range append(set.Names(), "no such page") {
		if err := set.Render(&buf, page, struct{ Title string }{"half a page"}); err == nil || buf.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes written", page, err, buf.Len())
		}
	}
	if err := set.RenderFragment(&buf, "login", "no such part", nil); err == nil || buf.Len() > 0 {
		t.Errorf("a part that is not there: error %v, %d bytes written", err, buf.Len())
	}
	if set.Page("login") == nil || set.Page("no such page") != nil {
		t.Error("pages are not found by their names")
	}
}

func TestPageThatCallsAnUnknownFunctionDoesNotStart(t *testing.T) {
	if _, err := templates.New(template.FuncMap{}); err == nil || !strings.Contains(err.Error(), "parse") {
		t.Errorf("error %v", err)
	}
}

// lineMax is how long a line of a template may be, in characters.
const lineMax = 160

var (
	defined = regexp.MustCompile(`\{\{-? ?define "([^"]+)"`)
	invoked = regexp.MustCompile(`\{\{-? ?(?:template|block) "([^"]+)"`)
)

// templateFiles are the texts of all templates by their paths.
func templateFiles(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil || len(texts) < 20 {
		t.Fatalf("%d templates: %v", len(texts), err)
	}
	return texts
}

func TestTemplatesHaveShortLines(t *testing.T) {
	for path, text := range templateFiles(t) {
		for i, line := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(line); n > lineMax {
				t.Errorf("%s:%d has %d characters; wrap the attributes, one element a line", path, i+1, n)
			}
		}
	}
}

// TestEveryTemplateIsUsed finds blocks that no template and no handler asks for.
func TestEveryTemplateIsUsed(t *testing.T) {
	used := map[string]bool{"title": true} // the layout has it as a block
	texts := templateFiles(t)
	for _, text := range texts {
		for _, m := range invoked.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	}
	goStrings(t, func(_ string, text string) { used[text] = true })
	for path, text := range texts {
		for _, m := range defined.FindAllStringSubmatch(text, -1) {
			if !used[m[1]] {
				t.Errorf("%s defines %q, which nothing uses", path, m[1])
			}
		}
	}
}

// TestNoHTMLIsWrittenByGo: pages are templates. Go computes only the data of
// paths of charts, which are attributes.
func TestNoHTMLIsWrittenByGo(t *testing.T) {
	tag := regexp.MustCompile(`(?i)</?(a|article|aside|b|bdi|body|br|button|caption|code|dd|details|div|dl|dt|em|fieldset|figure|footer|form|` +
		`h[1-6]|head|header|html|i|img|input|label|legend|li|link|main|meta|nav|ol|optgroup|option|p|path|pre|rect|script|section|select|small|span|strong|` +
		`style|summary|svg|table|tbody|td|textarea|th|thead|time|title|tr|u|ul|use)(\s|/|>|$)`)
	read := 0
	goStrings(t, func(at, text string) {
		read++
		// The sample data of the demo has a title that shows that titles are escaped.
		if tag.MatchString(text) && !strings.HasPrefix(at, "../app/demo/topics.go:") {
			t.Errorf("%s has HTML in a string: %.80q; it belongs into a template", at, text)
		}
	})
	if read < 5000 {
		t.Errorf("only %d strings were read", read)
	}
}

// goStrings yields every string of the program with its file and line; tests
// and their kits are left out.
func goStrings(t *testing.T, yield func(at, text string)) {
	t.Helper()
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "node_modules" || name == "testdata" || strings.HasSuffix(name, "test") || len(name) > 2 && name[0] == '.'):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Errorf("%s: %v", path, err)
				}
				yield(set.Position(lit.Pos()).String(), text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
