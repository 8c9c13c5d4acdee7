package configfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/sitehooks/sitehooks/handlers/placeholder"
	"github.com/sitehooks/sitehooks/handlers/wording"
)

// file is the content of a file.
type file struct {
	Settings  yaml.MapSlice `yaml:"settings"`
	Locations []object      `yaml:"locations"`
	Sources   []object      `yaml:"sources"`
	Webhooks  []object      `yaml:"webhooks"`
}

const (
	// MaxFile is the most that a file may hold, in bytes.
	MaxFile = 4 << 20
	// maxDepth is how deep lists and objects of a file may be nested, and maxIndent
	// the last column at which a list may begin: the parser calls itself for each.
	maxDepth  = 64
	maxIndent = 256
)

// Read reads a file of at most MaxFile bytes.
func Read(from io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, MaxFile+1))
	if err == nil && len(text) > MaxFile {
		err = fmt.Errorf("the file is larger than %d MiB", MaxFile>>20)
	}
	return text, err
}

// none tells that a file has nothing in any of its sections. A section that is an
// empty list, as in "webhooks: []", is something.
func (f file) none() bool {
	return f.Settings == nil && f.Locations == nil && f.Sources == nil && f.Webhooks == nil
}

// decode reads YAML, which is one document, into a file.
func decode(text []byte) (f file, err error) {
	defer func() {
		if recover() != nil { // the library fails on some text that is not YAML
			err = errors.New("the file is not as it must be: it cannot be read as YAML")
		}
	}()
	tokens := lexer.Tokenize(string(text))
	if err := bounded(tokens); err != nil {
		return f, err
	}
	if err := single(tokens); err != nil {
		return f, err
	}
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return f, fmt.Errorf("the file is not as it must be: %s", wording.Printable(yaml.FormatError(err, false, false), ""))
	}
	return f, nil
}

// bounded refuses what is small to write and costly to read: aliases, each of
// which stands for all that its anchor marks, and deep nesting. It refuses tags
// too: the file says nothing with them, and the library fails on some.
func bounded(tokens token.Tokens) error {
	depth := 0
	for _, t := range tokens {
		switch t.Type { //nolint:exhaustive // the others cost no more than they are long
		case token.AnchorType, token.AliasType:
			return fmt.Errorf("the file is not as it must be: [%d:%d] anchors and aliases, as &name and *name, cannot be used here; write the text out, or put it in quotes", t.Position.Line, t.Position.Column)
		case token.TagType:
			return fmt.Errorf("the file is not as it must be: [%d:%d] tags, as !!str, cannot be used here; leave it out, or put the text in quotes", t.Position.Line, t.Position.Column)
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		list := t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType
		if depth > maxDepth || list && t.Position.Column > maxIndent {
			return fmt.Errorf("the file is not as it must be: [%d:%d] it is nested too deep", t.Position.Line, t.Position.Column)
		}
	}
	return nil
}

// single refuses a second document, which would not be read.
func single(tokens token.Tokens) error {
	begun, ended, directive := false, false, 0
	for _, t := range tokens {
		if t.Type == token.DirectiveType {
			directive = t.Position.Line
		}
		if t.Type == token.CommentType || t.Position.Line == directive {
			continue
		}
		if ended && t.Type != token.DocumentEndType || begun && t.Type == token.DocumentHeaderType {
			return fmt.Errorf("the file is not as it must be: [%d:%d] a second document begins here; a file has one, so move its sections into the first", t.Position.Line, t.Position.Column)
		}
		begun, ended = true, t.Type == token.DocumentEndType
	}
	return nil
}

// parse reads a file and fills in its variables. The error names every variable
// that is missing, each on a line.
func parse(text []byte, getenv func(string) string) (file, error) {
	f, err := decode(text)
	if err != nil {
		return f, err
	}
	var missing []error
	for _, section := range []struct {
		kind
		list []object
	}{{locationKind, f.Locations}, {sourceKind, f.Sources}, {webhookKind, f.Webhooks}} {
		seen := map[string]bool{}
		for i, one := range section.list {
			name := section.name(one)
			switch {
			case name == "":
				return f, fmt.Errorf("%s[%d] has no %s", section.Section, i, section.Key)
			case seen[name]:
				return f, fmt.Errorf("the %s is in the file twice", title(section.Label, name))
			}
			seen[name] = true
			filled := filler{getenv: getenv, of: title(section.Label, name)}
			filled.fill(one)
			missing = append(missing, filled.missing...)
		}
	}
	for _, w := range f.Webhooks {
		if _, given := w["headers"]; !given {
			w["headers"] = object{} // what the file lacks is not there
		}
		w["headers"], w["options"] = texts(w["headers"]), texts(w["options"])
	}
	for _, s := range f.Sources {
		s["fields"] = texts(s["fields"])
	}
	return f, errors.Join(missing...)
}

// texts makes numbers and truth values in an object strings.
func texts(v any) any {
	o, is := v.(object)
	if !is {
		return v
	}
	for key, value := range o {
		switch value.(type) {
		case nil, string, object, []any:
		default:
			o[key] = fmt.Sprint(value)
		}
	}
	return o
}

// settingText is the value of a setting, which YAML may take for a number or a
// truth value.
func settingText(v any) string {
	switch v := v.(type) {
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	default:
		return fmt.Sprint(v)
	}
}

// filler fills in the variables of a thing.
type filler struct {
	getenv  func(string) string
	of      string
	missing []error
}

// fill fills in what may be secret, and of which no difference shows the value:
// secrets, the URL, and the values of headers. Everything else is taken as it
// stands.
func (f *filler) fill(o object) {
	for _, field := range []string{"url", "secret_1", "secret_2"} {
		f.text(o, field)
	}
	headers, _ := o["headers"].(object)
	for name := range headers {
		f.text(headers, name)
	}
}

func (f *filler) text(o object, field string) {
	if text, is := o[field].(string); is {
		o[field] = placeholder.Fill(text, f.value)
	}
}

func (f *filler) value(name string) string {
	value := f.getenv(name)
	if value == "" && !slices.ContainsFunc(f.missing, func(err error) bool { return strings.HasPrefix(err.Error(), name+" ") }) {
		f.missing = append(f.missing, fmt.Errorf("%s is not set, and the %s needs it", name, f.of))
	}
	return value
}

// whole writes a number without a point: the API has whole numbers alone.
func whole(v any) any {
	if n, is := v.(float64); is {
		return int64(n)
	}
	return v
}
