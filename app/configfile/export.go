package configfile

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/sitehooks/sitehooks/app/client"
	"github.com/sitehooks/sitehooks/handlers/placeholder"
)

const head = `# The configuration of a Sitehooks installation, for sitehooks apply.
# Each ${NAME} in a URL, a secret or the value of a header is filled from the
# environment; $${ stands for ${ there.
`

// Export writes the configuration as YAML. Webhooks without a key are named on
// Err, unless each is to get one made of its name first.
func Export(ctx context.Context, o Options, assignKeys bool) error {
	whole, err := o.mayManage(ctx)
	if err != nil {
		return inWords(err)
	}
	var file yaml.MapSlice
	if whole {
		settings, err := o.list(ctx, "/settings")
		if err != nil {
			return err
		}
		var values yaml.MapSlice
		for _, s := range settings {
			values = append(values, yaml.MapItem{Key: s["name"], Value: s["value"]})
		}
		file = append(file, yaml.MapItem{Key: "settings", Value: values})
	}
	locations, err := o.list(ctx, locationKind.Path)
	if err != nil {
		return err
	}
	sources, err := o.list(ctx, sourceKind.Path)
	if err != nil && status(err) != 404 {
		return err
	}
	webhooks, err := o.keyed(ctx, assignKeys)
	if err != nil {
		return err
	}
	for _, section := range []struct {
		kind
		list []object
		line func(object) yaml.MapSlice
	}{{locationKind, locations, locationLine}, {sourceKind, sources, sourceLine}, {webhookKind, webhooks, webhookLine}} {
		lines := []yaml.MapSlice{}
		for _, one := range section.list {
			if line := section.line(one); line != nil {
				lines = append(lines, line)
			}
		}
		if len(lines) > 0 {
			file = append(file, yaml.MapItem{Key: section.Section, Value: lines})
		}
	}
	text, err := placeholder.YAML(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(o.Out, head, string(text))
	return err
}

// keyed are the webhooks with a key. The others are named, or get one.
func (o Options) keyed(ctx context.Context, assign bool) (list []object, err error) {
	all, err := o.list(ctx, webhookKind.Path)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, w := range all {
		taken[webhookKind.name(w)] = true
	}
	for _, w := range all {
		if webhookKind.name(w) == "" && !assign {
			_ = writeLine(o.Err, "left out, because it has no key: webhook %v %q of %v", w["id"], w["name"], w["location"])
			continue
		}
		if webhookKind.name(w) == "" {
			if w, err = o.assign(ctx, w, taken); err != nil {
				return nil, err
			}
		}
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b object) int { return strings.Compare(webhookKind.name(a), webhookKind.name(b)) })
	return list, nil
}

// assign gives a webhook a key made of its name.
func (o Options) assign(ctx context.Context, w object, taken map[string]bool) (object, error) {
	name, _ := w["name"].(string)
	key := placeholder.Key(name, func(key string) bool { return taken[key] })
	taken[key] = true
	err := o.Client.Do(ctx, jsonRequest("PATCH", fmt.Sprintf("%s/webhooks/%v", prefix, w["id"]), object{"key": key}), &w)
	if err == nil {
		_ = writeLine(o.Err, "webhook %v %q has the key %s", w["id"], name, key)
	}
	return w, err
}

func locationLine(l object) yaml.MapSlice {
	line := append(pick(l, "slug", "name", "description", "kind"), hiddenLine(l)...)
	if list, _ := l["communities"].([]any); len(list) > 0 {
		var communities []yaml.MapSlice
		for _, one := range list {
			c, _ := one.(object)
			communities = append(communities, append(pick(c, "slug", "name", "description"), hiddenLine(c)...))
		}
		line = append(line, yaml.MapItem{Key: "communities", Value: communities})
	}
	return line
}

// hiddenLine is nil for what is shown.
func hiddenLine(o object) yaml.MapSlice {
	if o["hidden"] != true {
		return nil
	}
	return pick(o, "hidden")
}

// sourceLine is nil for a follower, which registers itself.
func sourceLine(s object) yaml.MapSlice {
	if s["kind"] == "follower" {
		return nil
	}
	line := pick(s, "name", "kind", "location")
	for _, field := range []string{"fields", "program", "expect_hours"} {
		if !isEmpty(s[field]) {
			line = append(line, yaml.MapItem{Key: field, Value: whole(s[field])})
		}
	}
	return append(line, secretLines(s, placeholder.Source(sourceKind.name(s)))...)
}

func webhookLine(w object) yaml.MapSlice {
	line := pick(w, "key", "type", "name", "location", "events", "tags", "community")
	variables := placeholder.Webhook(webhookKind.name(w))
	target, known := w["url"].(string)
	if target = placeholder.Escape(target); !known {
		target = variables.URL()
	}
	line = append(line, yaml.MapItem{Key: "url", Value: target})
	if headers, _ := w["headers"].(object); len(headers) > 0 {
		values := object{}
		for header := range headers {
			values[header] = variables.Header(header)
		}
		line = append(line, yaml.MapItem{Key: "headers", Value: values})
	}
	if !isEmpty(w["options"]) {
		line = append(line, yaml.MapItem{Key: "options", Value: w["options"]})
	}
	if line = append(line, secretLines(w, variables)...); w["state"] == "stopped" {
		line = append(line, yaml.MapItem{Key: "paused", Value: true})
	}
	return line
}

// secretLines name the secrets that a thing has.
func secretLines(o object, variables placeholder.Thing) (lines yaml.MapSlice) {
	secrets, _ := o["secrets"].([]any)
	for i, one := range secrets {
		if one != nil {
			lines = append(lines, yaml.MapItem{Key: fmt.Sprint("secret_", i+1), Value: variables.Secret(i + 1)})
		}
	}
	return lines
}

// pick takes fields in an order.
func pick(o object, fields ...string) (line yaml.MapSlice) {
	for _, field := range fields {
		line = append(line, yaml.MapItem{Key: field, Value: o[field]})
	}
	return line
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case float64:
		return v == 0
	case object:
		return len(v) == 0
	}
	return false
}

func jsonRequest(method, path string, body any) client.Request {
	text, err := json.Marshal(body)
	if err != nil {
		text = []byte("null") // cannot happen: values of JSON or YAML
	}
	return client.Request{Method: method, Path: path, ContentType: "application/json", Body: text}
}

func hasScope(detail string) bool { return strings.Contains(detail, "has the scope") }
