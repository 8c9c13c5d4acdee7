package management_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

type object = map[string]any

// generator makes values by the schemas of the API's description.
type generator struct {
	*rand.Rand
	schemas object
	// pools have likely values of the fields and parameters of a name.
	pools map[string][]any
}

// texts are of any field: empty, long, and of characters that may be trouble.
var texts = []any{
	"", " ", "a", "0", "-1", "main", "null", "Grüße 🙂", "line\nbreak", "tab\t", "nul\x00", "\u202eright to left", "<b>&amp;</b>", "${HOME}", "%s%n", "' OR 1=1 --", "../../etc", "2026-02-30T25:61:00Z",
	strings.Repeat("x", 65), strings.Repeat("é", 301), strings.Repeat("long ", 1000),
}

// numbers are at the ends of what integers can hold, and beyond.
var numbers = []any{0, 1, -1, 7, 200, 201, 1 << 31, int64(1) << 53, json.Number("1.5"), json.Number("1e3"), json.Number("9223372036854775808"), json.Number("-1e400")}

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// once in n times it is true.
func (g *generator) once(n int) bool { return g.IntN(n) == 0 }

func (g *generator) resolved(schema object) object {
	if ref, is := schema["$ref"].(string); is {
		target, _ := g.schemas[ref[strings.LastIndexByte(ref, '/')+1:]].(object)
		return target
	}
	return schema
}

// value is one that a schema allows, as far as it is easily told, for a field of
// a name.
func (g *generator) value(schema object, name string) any {
	schema = g.resolved(schema)
	if fixed, is := schema["const"]; is {
		return fixed
	}
	if list, is := schema["anyOf"].([]any); is {
		one, _ := pick(g, list).(object)
		return g.value(one, name)
	}
	if list, is := schema["enum"].([]any); is {
		return pick(g, list)
	}
	switch g.kind(schema) {
	case "null":
		return nil
	case "boolean":
		return g.once(2)
	case "integer":
		return pick(g, append([]any{1, 2, 7}, numbers[0:5]...))
	case "array":
		return g.list(schema, name)
	case "object":
		return g.object(schema)
	}
	return g.text(schema, name)
}

// kind is one of a schema's types.
func (g *generator) kind(schema object) string {
	switch kind := schema["type"].(type) {
	case string:
		return kind
	case []any:
		if g.once(2) {
			return kind[0].(string)
		}
		return pick(g, kind).(string)
	}
	return ""
}

func (g *generator) list(schema object, name string) any {
	items, _ := schema["items"].(object)
	list := []any{}
	least, _ := schema["minItems"].(float64)
	for range int(least) + g.IntN(3) {
		list = append(list, g.value(items, name))
	}
	return list
}

func (g *generator) object(schema object) any {
	o := object{}
	required, _ := schema["required"].([]any)
	properties, _ := schema["properties"].(object)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || g.once(2) {
			o[name] = g.value(properties[name].(object), name)
		}
	}
	if more, is := schema["additionalProperties"].(object); is {
		for range g.IntN(3) {
			o[pick(g, []string{"X-Team", "digest", "payload_version", "b c"})] = g.value(more, "")
		}
	}
	return o
}

func (g *generator) text(schema object, name string) any {
	likely := slices.Concat(g.pools[name], g.pools[name], g.pools[name], texts)
	if pattern, is := schema["pattern"].(string); is {
		fits := regexp.MustCompile(pattern)
		likely = slices.DeleteFunc(likely, func(v any) bool { text, is := v.(string); return !is || !fits.MatchString(text) })
	}
	if schema["format"] == "date-time" {
		likely = []any{"2026-11-21T01:39:18.123Z", "1970-01-01T00:00:00Z", "2026-11-21T01:39:18+14:00", "9999-12-31T23:59:59Z"}
	}
	if len(likely) == 0 {
		return "7"
	}
	return pick(g, likely)
}

// broken is a value with a change somewhere inside, after which it mostly is not
// what its schema allows.
func (g *generator) broken(v any) any {
	switch v := v.(type) {
	case object:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 || g.once(5) {
			return g.other()
		}
		changed := maps.Clone(v)
		switch key := pick(g, keys); g.IntN(5) {
		case 0:
			delete(changed, key)
		case 1:
			changed[pick(g, []string{"", "id", "Name", "name ", "state", "__proto__"})] = g.other()
		default:
			changed[key] = g.broken(v[key])
		}
		return changed
	case []any:
		if len(v) == 0 || g.once(3) {
			return g.other()
		}
		changed := slices.Clone(v)
		i := g.IntN(len(v))
		changed[i] = g.broken(v[i])
		return changed
	}
	return g.other()
}

// other is any value.
func (g *generator) other() any {
	return pick(g, slices.Concat(texts, numbers, []any{nil, nil, nil, true, false, []any{}, []any{nil}, []any{[]any{1}}, object{}, object{"generate": false}, object{"a": nil}}))
}

// damaged is JSON text with a fault that a value cannot have.
func (g *generator) damaged(text string) string {
	at := g.IntN(len(text) + 1)
	switch g.IntN(6) {
	case 0:
		return text[:at]
	case 1:
		return text[:at] + pick(g, []string{"\xff", "\x00", `\ud800`, ",", "}", "]", `"`, "//"}) + text[at:]
	case 2:
		return text + text
	case 3:
		return strings.Repeat("[", 5000)
	case 4:
		return strings.Replace(text, "{", `{"name":1,"name":"twice",`, 1)
	}
	return ""
}
