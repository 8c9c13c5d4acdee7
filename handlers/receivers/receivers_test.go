package receivers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/receivers"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// named tells whether a body of a type names its event: by the event's type, or
// by the type's own word for it.
func named(format string, body map[string]any, reported, word string) bool {
	switch format {
	case "generic":
		for _, list := range []string{"questions", "answers", "comments", "webhooks", "sources"} {
			if items, _ := body[list].([]any); len(items) == 1 {
				item, _ := items[0].(map[string]any)
				return item["type"] == strings.ReplaceAll(reported, ".", " ")
			}
		}
		return false
	case "slack":
		text, _ := body["text"].(string)
		blocks, _ := body["blocks"].([]any)
		return text != "" && len(blocks) > 0
	case "stackauth":
		return body["type"] == reported && body["data"] != nil
	case "userecho":
		return body["hook"] == word && body["data"] != nil
	default:
		return body["Event"] == word && body["PrimaryKey"] != nil
	}
}

// TestGuidesShowEveryEvent: the guide of each type has an example for each event
// that the type carries: a body as the receiver gets it, which names that event
// and is no other event's.
func TestGuidesShowEveryEvent(t *testing.T) {
	c := webtest.NewConsole(t)
	list := c.Get(receivers.Path).Want(http.StatusOK)
	for _, f := range wire.Formats() {
		t.Run(f.Name, func(t *testing.T) {
			link := list.Find(`main a[href="`+receivers.Path+"/"+f.Name+`"]`).AttrOr("href", "/none")
			page := c.Get(link).Want(http.StatusOK)
			if page.Find("section[aria-label=Guide] h2").Length() == 0 {
				t.Error("there is no guide")
			}
			events, seen := 0, map[string]string{}
			for _, option := range f.Options {
				for _, kind := range option.Events {
					events++
					example := page.Find(`details[id="event-` + kind.Family + "-" + kind.Type + `"]`)
					text := example.Find("pre code").Text()
					var body map[string]any
					if err := json.Unmarshal([]byte(text), &body); err != nil {
						t.Errorf("the example of %s: %v", kind.Type, err)
						continue
					}
					if heading := example.Find("summary .mono").Text(); heading != kind.Type || !named(f.Name, body, kind.Type, option.Value) {
						t.Errorf("the example of %s, headed %q, is %s", kind.Type, heading, text)
					}
					if other, known := seen[text]; known && other != option.Value {
						t.Errorf("%s and %s have the same example", option.Value, other)
					}
					seen[text] = option.Value
				}
			}
			if shown := page.Find("details[id^=event-]").Length(); events < 8 || shown != events {
				t.Errorf("%d examples of %d events", shown, events)
			}
		})
	}
	missing := c.Get(receivers.Path + "/pigeon").Want(http.StatusNotFound)
	if text := missing.Text("main"); !strings.Contains(text, "There is no such type of webhook.") {
		t.Errorf("an unknown type: %q", text)
	}
}
