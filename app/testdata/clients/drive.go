// Command drive does what programs do with a client that was made from the
// description of the APIs. The test says where: BASE, TOKEN, INGEST_TOKEN and
// TARGET. It fails by ending with an error.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/oapi-codegen/nullable"
)

func main() {
	log.SetFlags(0)
	api, site := client(os.Getenv("TOKEN")), client(os.Getenv("INGEST_TOKEN"))
	ctx := context.Background()
	create(ctx, api)
	list(ctx, api)
	patch(ctx, api)
	state(ctx, api)
	delivery := report(ctx, api, site)
	explain(ctx, api, delivery)
	resend(ctx, api, delivery)
	remove(ctx, api)
}

func client(token string) *ClientWithResponses {
	c, err := NewClientWithResponses(os.Getenv("BASE"), WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}))
	must("client", err, true, c)
	return c
}

// must ends the program unless there was no error and what was seen is right.
func must(what string, err error, is bool, seen any) {
	if err != nil || !is {
		log.Fatalf("%s: %v %s", what, err, fmt.Sprintf("%+v", seen))
	}
}

// until asks again until there is an answer that counts. The test ends a wait
// that is in vain.
func until(answered func() bool) {
	for !answered() {
		time.Sleep(50 * time.Millisecond)
	}
}

const key = "go"

func create(ctx context.Context, api *ClientWithResponses) {
	var generated SecretInput
	err := generated.FromSecretInput1(SecretInput1{Generate: true})
	must("secret", err, true, nil)
	usual := WebhookInput{
		Type: new("generic"), Events: &[]string{"question.created"}, Tags: nullable.NewNullableWithValue([]string{"go"}),
		Url: nullable.NewNullableWithValue(os.Getenv("TARGET")), Secret1: nullable.NewNullableWithValue(generated),
	}
	for _, one := range []string{key, "go-2", "go-3"} {
		usual.Key, usual.Name = nullable.NewNullableWithValue(one), new("Golang "+one)
		a, err := api.CreateWebhookWithResponse(ctx, nil, usual)
		must("create", err, err == nil && a.JSON201 != nil, a)
		must("the new secret", nil, a.JSON201.Secret1.IsSpecified() && a.JSON201.Secret1.MustGet() != "", a.JSON201)
	}
}

func list(ctx context.Context, api *ClientWithResponses) {
	var keys []string
	pages := 0
	q := ListWebhooksParams{Limit: new(2), Q: new("Golang")}
	for {
		a, err := api.ListWebhooksWithResponse(ctx, &q)
		must("list", err, err == nil && a.JSON200 != nil, a)
		for _, w := range a.JSON200.Data {
			keys = append(keys, w.Key.MustGet())
		}
		pages++
		if a.JSON200.Next.IsNull() {
			break
		}
		q.Cursor = new(a.JSON200.Next.MustGet())
	}
	must("pages", nil, pages == 2 && slices.Equal(keys, []string{key, "go-2", "go-3"}), keys)
}

// patch sends a null of its own meaning: all tags. A stale version is refused.
func patch(ctx context.Context, api *ClientWithResponses) {
	read, err := api.GetWebhookWithResponse(ctx, key)
	must("get", err, err == nil && read.JSON200 != nil && slices.Equal(read.JSON200.Tags.MustGet(), []string{"go"}), read)
	params := PatchWebhookParams{IfMatch: new(read.HTTPResponse.Header.Get("ETag"))}
	a, err := api.PatchWebhookWithResponse(ctx, key, &params, WebhookInput{Name: new("Golang too"), Tags: nullable.NewNullNullable[[]string]()})
	must("patch", err, err == nil && a.JSON200 != nil, a)
	w, err := a.JSON200.AsSavedWebhook()
	must("patched", err, w.Tags.IsNull() && w.Name == "Golang too" && w.Key.MustGet() == key, w)
	a, err = api.PatchWebhookWithResponse(ctx, key, &params, WebhookInput{Name: new("Late")})
	must("stale", err, err == nil && a.ApplicationproblemJSON412 != nil && a.ApplicationproblemJSON412.Status == http.StatusPreconditionFailed, a)
}

func state(ctx context.Context, api *ClientWithResponses) {
	paused, err := api.PauseWebhookWithResponse(ctx, key, nil)
	must("pause", err, err == nil && paused.JSON200 != nil && paused.JSON200.State == WebhookStateStopped, paused)
	resumed, err := api.ResumeWebhookWithResponse(ctx, key, nil, ResumeInput{})
	must("resume", err, err == nil && resumed.JSON200 != nil && resumed.JSON200.State == ResumedStateActive, resumed)
	tested, err := api.TestWebhookWithResponse(ctx, key)
	must("test", err, err == nil && tested.JSON200 != nil && tested.JSON200.Delivered && tested.JSON200.Code == http.StatusOK, tested)
}

// report returns the id of the delivery that an event leads to.
func report(ctx context.Context, api, site *ClientWithResponses) (delivery string) {
	var event NewEvent
	err := event.FromQuestionCreated(QuestionCreated{
		Type: "question.created", Id: nullable.NewNullableWithValue("go-event"), Community: nullable.NewNullNullable[string](),
		Question: Question{QuestionId: 8, Title: "How do clients work?", Link: "https://site.example/questions/8", Tags: nullable.NewNullableWithValue([]string{"clients"})},
	})
	must("event", err, true, nil)
	var body PostedEvents
	must("body", body.FromNewEvent(event), true, nil)
	a, err := site.PostEventsWithResponse(ctx, body)
	must("report", err, err == nil && a.JSON202 != nil && a.JSON202.Accepted == 1, a)
	until(func() bool {
		page, err := api.ListDeliveriesWithResponse(ctx, &ListDeliveriesParams{Webhook: new(key), State: new(ListDeliveriesParamsStateDelivered)})
		must("deliveries", err, err == nil && page.JSON200 != nil, page)
		if len(page.JSON200.Data) == 0 {
			return false
		}
		d := page.JSON200.Data[0]
		must("delivery", nil, d.WebhookKey.MustGet() == key && slices.Equal(d.EventTypes, []string{"question.created"}), d)
		delivery = d.Id
		return true
	})
	return delivery
}

func explain(ctx context.Context, api *ClientWithResponses, delivery string) {
	found, err := api.ListEventsWithResponse(ctx, &ListEventsParams{Id: new("go-event")})
	must("events", err, err == nil && found.JSON200 != nil && len(found.JSON200.Data) == 1, found)
	why, err := api.GetEventWithResponse(ctx, strconv.Itoa(found.JSON200.Data[0].Number))
	must("explanation", err, err == nil && why.JSON200 != nil, why)
	seen := map[string]Explanation{}
	for _, one := range why.JSON200.Webhooks {
		seen[one.WebhookKey.MustGet()] = one
	}
	mine, other := seen[key], seen["go-2"]
	must("explained", nil, mine.Matched && mine.Delivery.MustGet() == delivery && !other.Matched && other.Reason != "", seen)
}

func resend(ctx context.Context, api *ClientWithResponses, delivery string) {
	a, err := api.ResendDeliveryWithResponse(ctx, delivery)
	must("resend", err, err == nil && a.JSON202 != nil, a)
	until(func() bool {
		d, err := api.GetDeliveryWithResponse(ctx, delivery)
		must("delivery", err, err == nil && d.JSON200 != nil, d)
		if len(d.JSON200.Attempts) < 2 {
			return false
		}
		must("attempts", nil, d.JSON200.Attempts[1].Delivered && d.JSON200.Attempts[1].Manual, d.JSON200.Attempts)
		return true
	})
}

func remove(ctx context.Context, api *ClientWithResponses) {
	removed, err := api.DeleteWebhookWithResponse(ctx, key, nil)
	must("delete", err, err == nil && removed.StatusCode() == http.StatusNoContent, removed)
	gone, err := api.GetWebhookWithResponse(ctx, key)
	must("gone", err, err == nil && gone.ApplicationproblemJSON404 != nil && gone.ApplicationproblemJSON404.Detail == "There is no such webhook.", gone)
}
