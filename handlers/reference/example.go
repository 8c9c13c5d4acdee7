package reference

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// variables are the parameters of addresses whose values Sitehooks makes. The
// examples take them from the environment.
var variables = map[string]string{"delivery": "DELIVERY", "event": "EVENT"}

// example is a request that the page shows in each language.
type example struct {
	ID        string // of its place on the page
	Method    string
	Variables []string // of the environment, besides TOKEN
	Body      string   // JSON, indented; empty: none
	address   []addressPiece
}

// addressPiece is a text of an address, or the name of a variable.
type addressPiece struct{ text, variable string }

// exampleOf is a request with the examples of its parameters.
func exampleOf(base, method, path string, params []parameter, body json.RawMessage) example {
	x := example{Method: method, Body: indented(body, "", "  ")}
	query := url.Values{}
	rest := base + path
	for _, p := range params {
		value, _ := json.Marshal(p.Example) // it came from JSON
		plain := strings.Trim(string(value), `"`)
		switch {
		case p.In == "query" && p.Example != nil:
			query.Set(p.Name, plain)
		case p.In == "path" && variables[p.Name] != "":
			before, after, _ := strings.Cut(rest, "{"+p.Name+"}")
			x.address = append(x.address, addressPiece{text: before}, addressPiece{variable: variables[p.Name]})
			x.Variables = append(x.Variables, variables[p.Name])
			rest = after
		case p.In == "path":
			rest = strings.Replace(rest, "{"+p.Name+"}", url.PathEscape(plain), 1)
		}
	}
	if len(query) > 0 {
		rest += "?" + query.Encode()
	}
	if rest != "" {
		x.address = append(x.address, addressPiece{text: rest})
	}
	return x
}

// inLanguage is an example in one of the languages.
type inLanguage struct {
	example
	language
}

// Languages are the example in each language.
func (x example) Languages() []inLanguage {
	all := make([]inLanguage, len(languages))
	for i, l := range languages {
		all[i] = inLanguage{x, l}
	}
	return all
}

// write writes the address with the variables as a language has them.
func (x example) write(variable func(name string) string) string {
	var b strings.Builder
	for _, piece := range x.address {
		if piece.variable != "" {
			b.WriteString(variable(piece.variable))
		}
		b.WriteString(piece.text)
	}
	return b.String()
}

// Shell is the address for a shell, to be put between double quotes.
func (x example) Shell() string { return x.write(func(name string) string { return "$" + name }) }

// ShellBody is the body for a shell, to be put between single quotes.
func (x example) ShellBody() string { return strings.ReplaceAll(x.Body, "'", `'\''`) }

// Go is the address as an expression.
func (x example) Go() string {
	var terms []string
	for _, piece := range x.address {
		if piece.variable != "" {
			terms = append(terms, "os.Getenv("+strconv.Quote(piece.variable)+")")
		} else {
			terms = append(terms, strconv.Quote(piece.text))
		}
	}
	return strings.Join(terms, "+")
}

// JavaScript is the address as an expression.
func (x example) JavaScript() string {
	if len(x.Variables) == 0 {
		return strconv.Quote(x.write(nil))
	}
	return "`" + x.write(func(name string) string { return "${process.env." + name + "}" }) + "`"
}

// JavaScriptBody is the body at the place where it stands.
func (x example) JavaScriptBody() string { return indented(json.RawMessage(x.Body), "  ", "  ") }

// Python is the address as an expression.
func (x example) Python() string {
	if len(x.Variables) == 0 {
		return strconv.Quote(x.write(nil))
	}
	return `f"` + x.write(func(name string) string { return "{os.environ['" + name + "']}" }) + `"`
}

// PythonBody is the body as Python writes it, at the place where it stands.
func (x example) PythonBody() string {
	var b strings.Builder
	names := strings.NewReplacer("true", "True", "false", "False", "null", "None")
	body := indented(json.RawMessage(x.Body), "    ", "    ")
	for body != "" {
		plain, rest, quoted := strings.Cut(body, `"`)
		b.WriteString(names.Replace(plain))
		if !quoted {
			break
		}
		end := 0
		for rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		b.WriteString(`"` + rest[:end+1])
		body = rest[end+1:]
	}
	return b.String()
}

// indented is JSON on several lines; empty for none.
func indented(body json.RawMessage, prefix, indent string) string {
	var b bytes.Buffer
	if json.Indent(&b, body, prefix, indent) != nil {
		return ""
	}
	return b.String()
}
