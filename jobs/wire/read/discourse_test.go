package read

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"testing"
)

// TestDiscoursePrivacy: a private message, a whisper, a hidden or deleted post
// and a restricted category do not pass, in any event. There was no running
// Discourse: the payloads are written after its serializers, as are those of
// testdata/discourse.
func TestDiscoursePrivacy(t *testing.T) {
	r, _ := ReaderOf("discourse")
	post := map[string]any{
		"id": 73, "topic_id": 5, "post_number": 3, "post_type": 1, "topic_archetype": "regular", "cooked": "<p>So.</p>",
		"hidden": false, "deleted_at": nil, "user_deleted": false, "version": 1, "user_id": 7, "username": "bob",
		"created_at": "2026-11-20T10:00:00.123Z", "updated_at": "2026-11-20T10:00:00.123Z", "category_slug": "help",
	}
	first := maps.Clone(post)
	first["id"], first["post_number"] = 71, 1
	topic := map[string]any{"id": 5, "title": "How?", "slug": "how", "archetype": "regular", "category_id": 4, "tags": []string{"go"}, "deleted_at": nil}
	page := maps.Clone(topic)
	page["post_stream"] = map[string]any{"posts": []any{first}}
	// read reads one event with what the instance answers to a visitor.
	read := func(event, member string, payload any, status int, page any) Result {
		body, err := json.Marshal(map[string]any{member: payload})
		if err != nil {
			t.Fatal(err)
		}
		in := Received{
			Header: http.Header{"X-Discourse-Event": {event}}, Body: body, At: readAt,
			Fields: map[string]string{discourseInstance: "https://forum.example.org"}, Answers: map[string]LookupAnswer{},
		}
		answer, err := json.Marshal(page)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			result, err := r.Read(in)
			if err != nil {
				t.Fatalf("%s: %v in %s", event, err, body)
			}
			if len(result.Lookups) == 0 {
				return result
			}
			for _, path := range result.Lookups {
				in.Answers[path] = LookupAnswer{status, answer}
			}
		}
		t.Fatal(event, ": no end of look-ups")
		return Result{}
	}
	events := map[string]string{"post_created": "post", "post_edited": "post", "accepted_solution": "solved"}
	with := func(base map[string]any, name string, value any) map[string]any {
		changed := maps.Clone(base)
		changed[name] = value
		return changed
	}
	hidden := func(what string, result Result) {
		t.Helper()
		if len(result.Events) > 0 || result.Ignored == "" {
			t.Errorf("%s: %s, ignored %q", what, result.Events, result.Ignored)
		}
	}
	for event, member := range events {
		if result := read(event, member, post, 200, page); len(result.Events) != 1 {
			t.Errorf("%s of a public post: ignored %q", event, result.Ignored)
		}
		hidden(event+" in a private message", read(event, member, with(post, "topic_archetype", "private_message"), 200, page))
		hidden(event+" of a whisper", read(event, member, with(post, "post_type", 4), 200, page))
		hidden(event+" of a hidden post", read(event, member, with(post, "hidden", true), 200, page))
		hidden(event+" of a deleted post", read(event, member, with(post, "deleted_at", "2026-11-20T10:00:00Z"), 200, page))
		hidden(event+" of a post that its author deleted", read(event, member, with(post, "user_deleted", true), 200, page))
		hidden(event+" in a topic that is a private message by now", read(event, member, post, 200, with(page, "archetype", "private_message")))
		for _, status := range []int{401, 403, 404, 410} {
			hidden(event+" in a restricted category, "+strconv.Itoa(status), read(event, member, post, status, map[string]any{"errors": []string{"no"}}))
		}
	}
	if result := read("topic_edited", "topic", topic, 200, page); len(result.Events) != 1 {
		t.Errorf("a public topic: ignored %q", result.Ignored)
	}
	hidden("an edited message", read("topic_edited", "topic", with(topic, "archetype", "private_message"), 200, page))
	hidden("an edited topic in a restricted category", read("topic_edited", "topic", topic, 403, map[string]any{}))
	hidden("an edited topic whose first post is hidden", read("topic_edited", "topic", topic, 200,
		with(page, "post_stream", map[string]any{"posts": []any{with(first, "hidden", true)}})))
}
