package configfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/sitehooks/sitehooks/handlers/placeholder"
)

// file is the content of a file.
type file struct {
	Settings  yaml.MapSlice `yaml:"settings"`
	Locations []object      `yaml:"locations"`
	Sources   []object      `yaml:"sources"`
	Webhooks  []object      `yaml:"webhooks"`
}

// parse reads a file and fills in its variables. The error names every variable
// that is missing, each on a line.
func parse(text []byte, getenv func(string) string) (file, error) {
	var f file
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return f, fmt.Errorf("the file is not as it must be: %s", yaml.FormatError(err, false, false))
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
				return f, fmt.Errorf("the %s %s is in the file twice", section.Label, name)
			}
			seen[name] = true
			filled := filler{getenv: getenv, of: section.Label + " " + name}
			section.list[i], _ = filled.fill(one).(object)
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

func (f *filler) fill(v any) any {
	switch v := v.(type) {
	case string:
		return placeholder.Fill(v, f.value)
	case object:
		for key, value := range v {
			v[key] = f.fill(value)
		}
	case []any:
		for i, value := range v {
			v[i] = f.fill(value)
		}
	}
	return v
}

func (f *filler) value(name string) string {
	value := f.getenv(name)
	if value == "" && !slices.ContainsFunc(f.missing, func(err error) bool { return strings.HasPrefix(err.Error(), name+" ") }) {
		f.missing = append(f.missing, fmt.Errorf("%s is not set, and the %s needs it", name, f.of))
	}
	return value
}

// escaped writes text so that no variable is in it, and numbers without a point.
func escaped(v any) any {
	switch v := v.(type) {
	case string:
		return placeholder.Escape(v)
	case float64:
		return int64(v) // the API has whole numbers alone
	case object:
		out := object{}
		for key, value := range v {
			out[key] = escaped(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = escaped(value)
		}
		return out
	}
	return v
}
