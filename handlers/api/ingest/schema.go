package ingest

import (
	"maps"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// schema is JSON Schema, as OpenAPI 3.1 has it.
type schema = map[string]any

// Schemas describe the events of each listed type, by the type's name, and custom
// ones as "custom". A forum's comment.created is forum-comment.created. Each has
// an example. Their parts have names too, by which generated clients have a type
// for each. What is not required may be null, which is as if it were absent.
func Schemas() map[string]any {
	all := map[string]any{"User": user()}
	for _, kind := range []postKind{questionKind, answerKind, commentKind} {
		all[kind.schemaName()] = kind.schema()
	}
	for _, f := range wire.Families() {
		for _, event := range f.Events {
			name := f.Name + "." + event
			all[name] = eventSchema(f.Type(event), familyKind(f), f.Label)
		}
	}
	custom := eventSchema("lead.scored", KindCustom, "Custom events")
	properties, _ := custom["properties"].(schema)
	properties["type"] = schema{
		"type": "string", "pattern": `^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`, "maxLength": maxName,
		"description": "Any name of two parts whose first part is none of the listed ones",
	}
	all["custom"] = custom
	return all
}

func eventSchema(name string, kind Kind, label string) schema {
	properties := schema{
		"type":        schema{"type": "string", "const": name},
		"id":          text(maxName, "Idempotency key within the location; made when absent"),
		"occurred_at": schema{"type": "string", "format": "date-time", "description": "From 1970 to a day from now; now when absent"},
		"location":    slug("Slug of the location, main when absent"),
		"community":   slug("Slug of the community"),
		"actor":       ref("User"),
	}
	required := []string{"type"}
	example := map[string]any{"id": "b2f1c7e0", "type": name, "location": defaultLocation}
	switch kind {
	case kindPost:
		family, _, _ := strings.Cut(name, ".")
		required = append(required, questionKind.name)
		properties[questionKind.name], example[questionKind.name] = ref(questionKind.schemaName()), questionKind.example()
		for _, more := range []postKind{answerKind, commentKind} {
			if more.name == family {
				required = append(required, more.name)
				example[more.name] = more.example()
			}
			if more.name == family || family == commentKind.name {
				properties[more.name] = ref(more.schemaName())
			}
		}
	default:
		properties["subject"] = text(maxName, "Id of the thing that it is about")
		properties["data"] = schema{"type": "object", "description": "Kept as text and passed on unchanged"}
		example["subject"], example["data"] = "1", map[string]any{"id": "1"}
		if kind == KindCRM || kind == KindCustom {
			properties["subject"] = schema{"type": "string", "pattern": "^[0-9]{1,128}$", "description": "A decimal number up to 2147483647, 0 when absent"}
			properties["changes"] = schema{"type": "array", "items": schema{"type": "string"}, "maxItems": maxChanges, "description": "Names of the fields that changed"}
		}
	}
	return schema{"type": "object", "title": name, "description": label + ".", "properties": orNull(properties, required), "required": required, "examples": []any{example}}
}

// orNull lets the properties that are not required be null.
func orNull(properties schema, required []string) schema {
	for name := range properties {
		if slices.Contains(required, name) {
			continue
		}
		one, _ := properties[name].(schema)
		if kind, is := one["type"].(string); is {
			one["type"] = []string{kind, "null"}
		} else {
			properties[name] = schema{"anyOf": []any{one, schema{"type": "null"}}}
		}
	}
	return properties
}

func ref(name string) schema { return schema{"$ref": "#/components/schemas/" + name} }

// schemaName is the name of a kind's schema: Question.
func (kind postKind) schemaName() string { return strings.ToUpper(kind.name[:1]) + kind.name[1:] }

func (kind postKind) schema() schema {
	properties := schema{
		kind.id:          schema{"type": "integer", "minimum": 1},
		"title":          text(maxTitle, ""),
		"body":           schema{"type": "string"},
		"link":           schema{"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"},
		"score":          schema{"type": "integer"},
		"creation_date":  schema{"type": "integer", "description": "Milliseconds since 1970"},
		"last_edit_date": schema{"type": "integer", "description": "Milliseconds since 1970"},
		"is_accepted":    schema{"type": "boolean"},
		"owner":          ref("User"),
	}
	required := []string{kind.id}
	if kind.needsTitle {
		required = append(required, "title", "link")
		properties["tags"] = schema{"type": "array", "items": schema{"type": "string", "minLength": 1, "maxLength": maxTag}, "maxItems": maxTags, "description": "Compared in lower case"}
	}
	if kind.needsBody {
		required = append(required, "body")
	}
	return schema{"type": "object", "properties": orNull(properties, required), "required": required}
}

func (kind postKind) example() map[string]any {
	post := map[string]any{kind.id: 1, "body": "What it says"}
	if kind.needsTitle {
		maps.Copy(post, map[string]any{"title": "How do webhooks work?", "link": "https://site.example/questions/1", "tags": []string{"webhooks"}})
	}
	return post
}

func text(most int, words string) schema {
	s := schema{"type": "string", "minLength": 1, "maxLength": most}
	if words != "" {
		s["description"] = words
	}
	return s
}

func slug(words string) schema {
	return schema{"type": "string", "pattern": "^[a-z0-9-]{1,64}$", "description": words}
}

func user() schema {
	return schema{"type": "object", "properties": orNull(schema{"user_id": schema{"type": "integer"}, "display_name": schema{"type": "string"}}, nil)}
}

// Accepted is the answer to events that were stored.
type Accepted struct {
	Accepted   int `json:"accepted" doc:"Events that are new"`
	Duplicates int `json:"duplicates" doc:"Events that were known"`
}

// SchemaNames are the names of Schemas in the order of the forms.
func SchemaNames() []string {
	var names []string
	for _, f := range wire.Families() {
		for _, event := range f.Events {
			names = append(names, f.Name+"."+event)
		}
	}
	return slices.Concat(names, []string{"custom"})
}
