// Package ascode writes a saved webhook as files and programs have it: as YAML for
// sitehooks apply, and as a request of the management API. No secret, header value
// or query of its URL is in it, but a ${NAME} in its place.
package ascode

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/sitehooks/sitehooks/handlers/placeholder"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Code is a webhook in both forms.
type Code struct {
	YAML string // for sitehooks apply
	Curl string // for the management API
}

// Key is the key of a webhook, or the one that sitehooks export would give it.
// byKey returns the webhook with a key, or models.ErrNotFound.
func Key(w models.Webhook, byKey func(key string) (models.Webhook, error)) (key string, err error) {
	if w.Key != "" {
		return w.Key, nil
	}
	key = placeholder.Key(w.Name, func(key string) bool {
		_, fault := byKey(key)
		if fault != nil && !errors.Is(fault, models.ErrNotFound) {
			err = fault
		}
		return fault == nil
	})
	return key, err
}

// Of writes a webhook in the order of sitehooks export. key is its own, or one
// that it is to get. base is the address of the console.
func Of(base *url.URL, w models.Webhook, key string, o models.Opened) (Code, error) {
	variables := placeholder.Webhook(key)
	target := placeholder.Escape(w.URLShown)
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
		{Key: "name", Value: w.Name},
		{Key: "location", Value: w.Location},
		{Key: "events", Value: w.Events},
		{Key: "tags", Value: tags},
		{Key: "community", Value: community},
		{Key: "url", Value: target},
	}
	if len(o.Headers) > 0 {
		values := map[string]string{}
		for _, h := range o.Headers {
			values[h.Name] = variables.Header(h.Name)
		}
		line = append(line, yaml.MapItem{Key: "headers", Value: values})
	}
	if len(w.Options) > 0 {
		line = append(line, yaml.MapItem{Key: "options", Value: w.Options})
	}
	for i, has := range [2]bool{w.Secret1 != "", w.Secret2 != ""} {
		if has {
			line = append(line, yaml.MapItem{Key: fmt.Sprint("secret_", i+1), Value: variables.Secret(i + 1)})
		}
	}
	if w.State == models.WebhookStopped {
		line = append(line, yaml.MapItem{Key: "paused", Value: true})
	}
	text, err := placeholder.YAML(yaml.MapSlice{{Key: "webhooks", Value: []yaml.MapSlice{line}}})
	if err != nil {
		return Code{}, err
	}
	curl, err := curlOf(base, w, key, o)
	return Code{string(text), curl}, err
}

// curlOf is the request that makes the webhook as it is, and gives it its key.
// What is absent stays as it is: secrets, headers and a URL that is a secret.
func curlOf(base *url.URL, w models.Webhook, key string, o models.Opened) (string, error) {
	fields := yaml.MapSlice{
		{Key: "key", Value: key}, {Key: "type", Value: w.Type}, {Key: "name", Value: w.Name}, {Key: "location", Value: w.Location}, {Key: "events", Value: w.Events},
	}
	if w.TagMode == models.TagsSpecific {
		fields = append(fields, yaml.MapItem{Key: "tags", Value: w.Tags})
	}
	if w.Community != "" {
		fields = append(fields, yaml.MapItem{Key: "community", Value: w.Community})
	}
	if len(w.Options) > 0 {
		fields = append(fields, yaml.MapItem{Key: "options", Value: w.Options})
	}
	if o.URL == w.URLShown {
		fields = append(fields, yaml.MapItem{Key: "url", Value: o.URL})
	}
	var parts []string
	for _, field := range fields {
		text, err := json.Marshal(field.Value)
		if err != nil {
			return "", err
		}
		parts = append(parts, fmt.Sprintf("%q: %s", field.Key, strings.ReplaceAll(string(text), "'", `'\''`)))
	}
	if f, is := wire.Lookup(w.Type); o.URL != w.URLShown && (!is || !f.SecretURL) {
		parts = append(parts, `"url": "'"`+placeholder.Webhook(key).URL()+`"'"`) // of the shell, outside of its single quotes
	}
	handle := key
	if w.Key == "" {
		handle = web.FormatID(w.ID)
	}
	return fmt.Sprintf("curl -X PUT '%s' \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n  -d '{%s}'\n",
		base.JoinPath("api/v1/webhooks", url.PathEscape(handle)), strings.Join(parts, ", ")), nil
}
