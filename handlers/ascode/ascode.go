// Package ascode writes a saved webhook as files and programs have it: as YAML for
// sitehooks apply, and as a request of the management API. No secret, header value
// or query of its URL is in it, but a ${NAME} in its place.
package ascode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/sitehooks/sitehooks/handlers/placeholder"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// Code is a webhook in both forms.
type Code struct {
	YAML string // for sitehooks apply
	Curl string // for the management API
}

// Of writes a webhook in the order of sitehooks export. One without a key gets one
// that is made of its number. base is the address of the console.
func Of(base *url.URL, w models.Webhook, o models.Opened) (Code, error) {
	key := w.Key
	if key == "" {
		key = fmt.Sprint("webhook-", w.ID)
	}
	variables := placeholder.Webhook(key)
	target := w.URLShown
	if o.URL != w.URLShown {
		target = variables.URL()
	}
	var tags, community any
	if w.TagMode == models.TagsSpecific {
		tags = w.Tags
	}
	if w.Community != "" {
		community = w.Community
	}
	line := yaml.MapSlice{
		{Key: "key", Value: key},
		{Key: "type", Value: w.Type},
		{Key: "name", Value: placeholder.Escape(w.Name)},
		{Key: "location", Value: w.Location},
		{Key: "events", Value: w.Events},
		{Key: "tags", Value: tags},
		{Key: "community", Value: community},
		{Key: "url", Value: target},
	}
	body := line // absent secrets and headers stay as they are
	if len(o.Headers) > 0 {
		values := map[string]string{}
		for _, h := range o.Headers {
			values[h.Name] = variables.Header(h.Name)
		}
		line = append(line, yaml.MapItem{Key: "headers", Value: values})
	}
	if len(w.Options) > 0 {
		values := map[string]string{}
		for option, value := range w.Options {
			values[option] = placeholder.Escape(value)
		}
		line = append(line, yaml.MapItem{Key: "options", Value: values})
		body = append(body, yaml.MapItem{Key: "options", Value: w.Options})
	}
	for i, has := range [2]bool{w.Secret1 != "", w.Secret2 != ""} {
		if has {
			line = append(line, yaml.MapItem{Key: fmt.Sprint("secret_", i+1), Value: variables.Secret(i + 1)})
		}
	}
	if w.State == models.WebhookStopped {
		line = append(line, yaml.MapItem{Key: "paused", Value: true})
	}
	text, err := yaml.Marshal(yaml.MapSlice{{Key: "webhooks", Value: []yaml.MapSlice{line}}})
	if err != nil {
		return Code{}, err
	}
	curl, err := curlOf(base, w, key, body)
	return Code{string(text), curl}, err
}

// curlOf is the request that makes the webhook as it is.
func curlOf(base *url.URL, w models.Webhook, key string, body yaml.MapSlice) (string, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range body {
		if i > 0 {
			b.WriteString(", ")
		}
		value := field.Value
		if field.Key == "name" {
			value = w.Name
		}
		text, err := json.Marshal(value)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%q: %s", field.Key, text)
	}
	b.WriteByte('}')
	if w.Key == "" {
		key = web.FormatID(w.ID)
	}
	return fmt.Sprintf("curl -X PUT '%s' \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n  -d '%s'\n",
		base.JoinPath("api/v1/webhooks", url.PathEscape(key)), strings.ReplaceAll(b.String(), "'", `'\''`)), nil
}
