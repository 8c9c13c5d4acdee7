package app_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const (
	fileLines    = 400
	packageLines = 3200
)

// goFiles calls visit with each Go file of the repository that is written by
// hand.
func goFiles(t *testing.T, visit func(path string, text []byte)) {
	t.Helper()
	root := os.DirFS("..")
	ok(t, fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		if err == nil && d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "node_modules") {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		text, err := fs.ReadFile(root, path)
		if err == nil && !strings.HasPrefix(string(text), "// Code generated") {
			visit(path, text)
		}
		return err
	}))
}

// wholePackage is larger than others, because its parts need one another inside
// transactions.
const wholePackage = "models"

// TestFilesAndPackagesStaySmall counts the lines that are not tests.
func TestFilesAndPackagesStaySmall(t *testing.T) {
	packages := map[string]int{}
	goFiles(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		lines := strings.Count(string(text), "\n")
		packages[filepath.Dir(path)] += lines
		if lines > fileLines {
			t.Errorf("%s has %d lines, more than %d", path, lines, fileLines)
		}
	})
	if len(packages) < 10 {
		t.Fatalf("only %d packages were found", len(packages))
	}
	for path, lines := range packages {
		if lines > packageLines && path != wholePackage {
			t.Errorf("%s has %d lines, more than %d", path, lines, packageLines)
		}
	}
}

// TestOneFolderKnowsTheDatabase: what differs between PostgreSQL and SQLite is a
// method of models/db, and no other code asks which of them it has.
func TestOneFolderKnowsTheDatabase(t *testing.T) {
	asks := regexp.MustCompile(`\b(Postgres|SQLite|SQLiteWriter|Kind)\(\) *[!=]=|"(PostgreSQL|SQLite)"|jackc/pgx/v5/pgconn|modernc\.org/sqlite`)
	files := 0
	goFiles(t, func(path string, text []byte) {
		if filepath.Dir(path) != "models" || strings.HasSuffix(path, "_test.go") {
			return
		}
		files++
		if found := asks.Find(text); found != nil {
			t.Errorf("%s has %s: make it a method of the dialect in models/db", path, found)
		}
	})
	if files < 30 {
		t.Fatalf("only %d files were found", files)
	}
}

// TestErrorsOfModelsSayWhere: every exported function of models that returns an
// error adds what it was doing.
func TestErrorsOfModelsSayWhere(t *testing.T) {
	complete := map[string]bool{"Open": true, "Able": true, "Check": true} // sentences of their own
	functions := 0
	goFiles(t, func(path string, text []byte) {
		if filepath.Dir(path) != "models" || strings.HasSuffix(path, "_test.go") {
			return
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, 0)
		ok(t, err)
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is || !f.Name.IsExported() || complete[f.Name.Name] && path != "models/webhooks.go" || !returnsError(f) {
				continue
			}
			functions++
			body := text[set.Position(f.Body.Pos()).Offset:set.Position(f.Body.End()).Offset]
			if !bytes.HasPrefix(bytes.TrimSpace(body[1:]), []byte("defer wrap(&err, ")) && !bytes.Contains(body, []byte("dispatchError(")) {
				t.Errorf("%s: %s does not begin with defer wrap(&err, …)", set.Position(f.Pos()), f.Name.Name)
			}
		}
	})
	if functions < 50 {
		t.Fatalf("only %d functions were found", functions)
	}
}

func returnsError(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	list := f.Type.Results.List
	id, is := list[len(list)-1].Type.(*ast.Ident)
	return is && id.Name == "error"
}

// privateWords are names that were not clear to new readers of the code. They
// are not used again.
const privateWords = `Take TakeResult together joined turn lead among amongSome listed portions statements keptStatement
	Called Standing fare waits eventWaiting theseWait tellBroken told room roomAt crowd meet goOn readOn settle
	parcel sent kept Try trial tryOut ping look presence appear leave up oops part webhookKnown`

// privateParts are not used inside names either, such as keptForm; tests aside.
const privateParts = "kept oops asked taker parcel told tell"

func TestNamesAreUnderstood(t *testing.T) {
	private := map[string]bool{}
	for word := range strings.FieldsSeq(privateWords) {
		private[lowerFirst(word)] = true
	}
	parts := map[string]bool{}
	for word := range strings.FieldsSeq(privateParts) {
		parts[word] = true
	}
	files := 0
	goFiles(t, func(path string, text []byte) {
		files++
		test := strings.HasSuffix(path, "_test.go")
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, 0)
		ok(t, err)
		declared(file, func(id *ast.Ident) {
			name := lowerFirst(id.Name)
			if private[name] || !test && slices.ContainsFunc(wordsOf(id.Name), func(word string) bool { return parts[word] }) {
				t.Errorf("%s: the name %s: see the table of names in CONTRIBUTING.md", set.Position(id.Pos()), id.Name)
			}
		})
	})
	if files < 100 {
		t.Fatalf("only %d files were found", files)
	}
}

// wordsOf are the words of a name in lower case: kept and form of keptForm.
func wordsOf(name string) []string {
	starts := func(r rune) string {
		if unicode.IsUpper(r) {
			return " " + string(unicode.ToLower(r))
		}
		return string(r)
	}
	var spaced strings.Builder
	for _, r := range name {
		spaced.WriteString(starts(r))
	}
	return strings.Fields(spaced.String())
}

func lowerFirst(name string) string { return string(unicode.ToLower(rune(name[0]))) + name[1:] }

// declared calls visit with each identifier that a file declares.
func declared(file *ast.File, visit func(*ast.Ident)) {
	list := func(fields *ast.FieldList) {
		if fields == nil {
			return
		}
		for _, field := range fields.List {
			for _, id := range field.Names {
				visit(id)
			}
		}
	}
	assigned := func(exprs ...ast.Expr) {
		for _, expr := range exprs {
			if id, ok := expr.(*ast.Ident); ok {
				visit(id)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			visit(n.Name)
			list(n.Recv)
		case *ast.FuncType:
			list(n.Params)
			list(n.Results)
		case *ast.StructType:
			list(n.Fields)
		case *ast.InterfaceType:
			list(n.Methods)
		case *ast.TypeSpec:
			visit(n.Name)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				visit(id)
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				assigned(n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				assigned(n.Key, n.Value)
			}
		}
		return true
	})
}
