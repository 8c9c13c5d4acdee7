package openapi

import (
	"encoding/json"
	"strings"
)

// pathExamples are values for the parameters of addresses. Those of deliveries
// and events are made by Sitehooks.
var pathExamples = map[string]any{
	"webhook": "python-accepted", "delivery": "msg_2b9WkV1pGZyqQm3rT7uXcA", "event": "42",
	"name": "forum", "setting": "Webhooks.DispatchDelay", "location": "python-wranglers",
}

// followerExamples are values for the parameters of the addresses of cursors: a
// source that another system reports to has none.
var followerExamples = map[string]any{"name": "answers"}

// queryExamples are values for the parameters of queries, by operation.
var queryExamples = map[string]map[string]any{
	"listWebhooks":   {"location": "main", "limit": 10},
	"listDeliveries": {"state": "failed", "limit": 10},
	"listEvents":     {"type": "question.created", "limit": 10},
}

// bodyExamples are the bodies of requests, by operation.
var bodyExamples = map[string]string{
	"createWebhook": `{"key":"python-accepted","type":"generic","name":"Accepted Python answers","location":"main",
		"events":["answer.accepted"],"tags":["python"],"url":"https://hooks.example.com/sitehooks","secret_1":{"generate":true}}`,
	"putWebhook": `{"type":"generic","name":"Accepted Python answers","location":"main",
		"events":["answer.accepted","answer.edited"],"tags":["python"],"url":"https://hooks.example.com/sitehooks"}`,
	"patchWebhook":     `{"name":"Accepted answers about Python"}`,
	"resumeWebhook":    `{"held":"send"}`,
	"resendDeliveries": `{"webhook":"python-accepted","state":"failed"}`,
	"createSource":     `{"name":"forum","kind":"generic","location":"main","secret_1":"a secret that the sender signs with"}`,
	"putSource":        `{"kind":"generic","location":"main","expect_hours":24}`,
	"putSetting":       `{"value":"10","reason":"Merge edits that follow one another"}`,
	"putLocation": `{"name":"Python wranglers","description":"Questions of the Python team",
		"communities":[{"slug":"data-platform","name":"Data platform","description":""}]}`,
	"putCursor": `{"location":"main","holder":"importer-1","lease_seconds":60,"place":{"last_id":4711},"behind_seconds":0}`,
	"postEvents": `{"id":"q1-created","type":"question.created","location":"main",
		"question":{"question_id":1,"title":"How do webhooks work?","link":"https://site.example/questions/1","tags":["python"]}}`,
}

// exemplify adds the examples to an operation.
func exemplify(operation string, params []any, contents object) {
	for _, one := range params {
		p, _ := one.(object)
		name, _ := p["name"].(string)
		examples := queryExamples[operation]
		if p["in"] == "path" {
			examples = pathExamples
			if strings.HasSuffix(operation, "Cursor") {
				examples = followerExamples
			}
		}
		if value, is := examples[name]; is {
			p["example"] = value
		}
	}
	if body := bodyExamples[operation]; body != "" {
		contents["example"] = json.RawMessage(body)
	}
}
