package webhooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestPreview(t *testing.T) {
	c := webtest.NewConsole(t)
	for n := 1; n <= 5; n++ {
		c.AddEvent(n, "answer.accepted", "data", "python")
	}
	c.AddEvent(6, "answer.accepted", "data", "go")
	c.AddEvent(7, "answer.accepted", "", "python")
	c.AddEvent(8, "question.created", "data", "python")
	c.AddEvent(9, "user.created", "")
	const secret = "fce393f66e03f7cbd31966ab9412e057"
	form := c.Filled("https://api.example.com/hook?token=abc", "location", "python-wranglers", "tag_mode", "specific", "tags", "python, pandas",
		"community", "data", "secret_2", secret, "headers", "X-Key: header-value", "do", "preview")
	a := c.Post(webtest.NewForm, form).Want(http.StatusOK)
	side := a.Text(".form-side")
	for _, want := range []string{
		"5 of 9 events", "Questions 0 of 1 not chosen", "Accepted answers 5 of 7 1 with other tags, 1 with another community", "By tag: python 5 pandas 0 Newest matches Question 5 <b>",
		"With the newest 3 matches", "POST /hook?… HTTP/1.1 Host: api.example.com Content-Type: application/json", "X-Key: ••••••", "Signed with secret 2.",
	} {
		if !strings.Contains(side, want) {
			t.Errorf("the preview does not say %q: %s", want, side)
		}
	}
	if strings.Contains(side, "header-value") || strings.Contains(side, "token=abc") || strings.Contains(side, secret) {
		t.Errorf("the preview says too much: %s", side)
	}
	newest, err := c.Store.Events.Named(t.Context(), models.AllLocations(), "event-5answer.accepted", 1)
	webtest.OK(t, err)
	if link := a.Find(".form-side a").First().AttrOr("href", ""); link != web.TriggerPath(newest[0].ID) {
		t.Errorf("the newest match leads to %s", link)
	}

	// The headers sign the body exactly as it is shown.
	raw, header := a.Find("#next-raw").Text(), http.Header{}
	for line := range strings.Lines(a.Find("#next-headers").Text()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			header.Set(name, value)
		}
	}
	hook, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	webtest.OK(t, err)
	webtest.OK(t, hook.Verify([]byte(raw), header))
	var body struct {
		Answers []struct {
			QuestionID int64 `json:"question_id"`
		}
	}
	webtest.OK(t, json.Unmarshal([]byte(raw), &body))
	if len(body.Answers) != 3 || body.Answers[0].QuestionID != 3 || body.Answers[2].QuestionID != 5 {
		t.Errorf("the body is %s", raw)
	}
	if all, _, _ := c.Store.Webhooks.All(t.Context()); len(all) != 0 {
		t.Error("a preview stored something")
	}
}

func TestPreviewOfAFaultyForm(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddEvent(1, "answer.accepted", "", "python")
	a := c.Post(webtest.NewForm, c.Filled("nonsense", "location", "python-wranglers", "do", "preview")).Want(http.StatusOK)
	side := a.Text(".form-side")
	if !strings.Contains(side, "1 of 1 event") || !strings.Contains(side, "Enter a URL to see the headers.") || a.Find("#next-headers").Length() > 0 {
		t.Errorf("the preview says %s", side)
	}
	if !strings.Contains(a.Text("[role=alert]"), "This cannot be saved yet.") {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	none := c.Post(webtest.NewForm, c.Filled("https://example.com/", "tag_mode", "specific", "tags", "", "do", "preview")).Want(http.StatusOK)
	if side = none.Text(".form-side"); !strings.Contains(side, "0 of 0 events") || !strings.Contains(side, "No recent event matches yet. This sample") {
		t.Errorf("the preview says %s", side)
	}
	if !strings.Contains(side, "Sample body") || !strings.Contains(side, "Sample headers") || !json.Valid([]byte(none.Find("#next-raw").Text())) {
		t.Errorf("there is no sample: %s", side)
	}
	nowhere := c.Post(webtest.NewForm, c.Filled("https://example.com/", "location", "moon", "do", "preview")).Want(http.StatusOK)
	if nowhere.Find("#pv").Length() > 0 {
		t.Error("there is a preview of nowhere")
	}
}

func TestPreviewMergesAsDispatchDoes(t *testing.T) {
	c := webtest.NewConsole(t)
	for n := range 3 {
		payload := fmt.Appendf(nil, `{"type":"question.edited","question":{"question_id":1,"title":"Edit %d","link":"https://example.com/1"}}`, n)
		_, _, err := c.Store.Events.Record(t.Context(), []models.NewEvent{{
			EventID: fmt.Sprint("e", n), Type: "question.edited", Location: "main", OccurredAt: time.Now(), MergeKey: "same", Title: "Edit", Payload: payload,
		}})
		webtest.OK(t, err)
	}
	raw := c.Post(webtest.NewForm, c.Filled("https://example.com/", "events", "question.edited", "do", "preview")).Find("#next-raw").Text()
	if strings.Count(raw, "question_id") != 1 || !strings.Contains(raw, "Edit 2") {
		t.Errorf("the body is %s", raw)
	}
}
