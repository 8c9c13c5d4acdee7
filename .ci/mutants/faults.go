package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// fault is a small change to a file.
type fault struct {
	file       string
	line       int
	start, end int // bytes of the file that become other ones
	was, now   string
}

func (f fault) String() string {
	return fmt.Sprintf("%s:%d %q → %q", f.file, f.line, f.was, f.now)
}

// changed is the file with the fault in it.
func (f fault) changed() []byte {
	text, err := os.ReadFile(f.file)
	check(err)
	return []byte(string(text[:f.start]) + f.now + string(text[f.end:]))
}

// faultsIn lists all faults that can be put into the code of some folders, not
// into their tests.
func faultsIn(folders []string) (all []fault) {
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		check(err)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				all = append(all, faultsOf(file)...)
			}
		}
	}
	return all
}

// The operators that replace others: those that gremlins has.
var operators = map[token.Token][]token.Token{
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR}, token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL}, token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.AND: {token.OR}, token.OR: {token.AND}, token.XOR: {token.AND}, token.SHL: {token.SHR}, token.SHR: {token.SHL},
	token.ADD_ASSIGN: {token.SUB_ASSIGN, token.ASSIGN}, token.SUB_ASSIGN: {token.ADD_ASSIGN, token.ASSIGN}, token.MUL_ASSIGN: {token.QUO_ASSIGN}, token.QUO_ASSIGN: {token.MUL_ASSIGN},
	token.INC: {token.DEC}, token.DEC: {token.INC}, token.BREAK: {token.CONTINUE}, token.CONTINUE: {token.BREAK},
}

func faultsOf(file string) (all []fault) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of the project
	check(err)
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution)
	check(err)
	at := func(start, end token.Pos, now string) {
		from, to := set.Position(start), set.Position(end)
		all = append(all, fault{file, from.Line, from.Offset, to.Offset, string(text[from.Offset:to.Offset]), now})
	}
	replace := func(op token.Token, pos token.Pos) {
		for _, other := range operators[op] {
			at(pos, pos+token.Pos(len(op.String())), other.String())
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR || n.Tok == token.CONST
		case *ast.BinaryExpr:
			replace(n.Op, n.OpPos)
		case *ast.AssignStmt:
			replace(n.Tok, n.TokPos)
		case *ast.IncDecStmt:
			replace(n.Tok, n.TokPos)
		case *ast.BranchStmt:
			if n.Label == nil {
				replace(n.Tok, n.TokPos)
			}
		case *ast.UnaryExpr:
			if n.Op == token.SUB || n.Op == token.NOT {
				at(n.OpPos, n.OpPos+1, "")
			}
		case *ast.IfStmt: // its body never runs, or always
			at(n.Cond.Pos(), n.Cond.End(), "false && ("+string(text[set.Position(n.Cond.Pos()).Offset:set.Position(n.Cond.End()).Offset])+")")
		case *ast.ExprStmt: // a call is left out
			if _, is := n.X.(*ast.CallExpr); is {
				at(n.Pos(), n.End(), "")
			}
		}
		return true
	})
	return all
}
