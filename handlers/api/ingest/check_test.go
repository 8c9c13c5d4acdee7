package ingest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/api"
)

// faultsOf writes the faults of a refusal as "index field: message".
func faultsOf(errs []api.FieldError) string {
	var lines []string
	for _, e := range errs {
		index := "null"
		if e.Index != nil {
			index = strconv.Itoa(*e.Index)
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", index, e.Field, e.Message))
	}
	return strings.Join(lines, "\n")
}

// TestFieldFaults spoils one thing at a time. Each line is a piece of JSON in
// an event of a type, and the start of the message about it.
func TestFieldFaults(t *testing.T) {
	const q = `"question":{"question_id":1,"title":"T","link":"http://s/q"}`
	question := func(members string) string {
		return `{"type":"question.created","question":{"question_id":1,"title":"T","link":"http://s/q"` + members + `}}`
	}
	custom := func(members string) string { return `{"type":"lead.scored",` + members + `}` }
	answer := func(a string) string { return `{"type":"answer.created",` + q + `,"answer":` + a + `}` }
	for _, tc := range []struct{ event, fault string }{
		{`[]`, `null : must be a JSON object`},
		{`"x"`, `null : must be a JSON object`},
		{`null`, `null : must be a JSON object`},
		{`{}`, "0 type: is required"},
		{`{"type":null}`, "0 type: is required"},
		{`{"type":""}`, "0 type: must not be empty"},
		{`{"type":7}`, "0 type: must be a string"},
		{`{"type":"lead"}`, "0 type: must have two parts"},
		{`{"type":"Lead.scored"}`, "0 type: must have two parts"},
		{`{"type":"lead.scored.twice"}`, "0 type: must have two parts"},
		{`{"type":"2lead.scored"}`, "0 type: must have two parts"},
		{`{"type":"a.` + strings.Repeat("b", 127) + `"}`, "0 type: must have two parts"},
		{`{"type":"question.deleted"}`, "0 type: is an unknown event: question has created and edited"},
		{`{"type":"comment.edited"}`, "0 type: is an unknown event: comment has created, accepted and deleted"},
		{`{"type":"sale.won"}`, "0 type: is an unknown event: sale has created, changed, deleted, sold, lost and completed"},
		{`{"type":"webhook.broken"}`, "0 type: is reserved"},
		{`{"type":"source.silent"}`, "0 type: is reserved"},

		{custom(`"id":1`), "0 id: must be a string"},
		{custom(`"id":""`), "0 id: must have 1 to 128 characters, not 0"},
		{custom(`"id":"` + strings.Repeat("é", 129) + `"`), "0 id: must have 1 to 128 characters, not 129"},
		{custom(`"id":"a\nb"`), "0 id: must contain only printable characters"},
		{custom(`"occurred_at":"yesterday"`), "0 occurred_at: must be an RFC 3339 time"},
		{custom(`"occurred_at":"2026-11-21T1:39:18Z"`), "0 occurred_at: must be an RFC 3339 time"},
		{custom(`"occurred_at":"2026-11-21T01:39:18,5Z"`), "0 occurred_at: must be an RFC 3339 time"},
		{custom(`"occurred_at":"2026-11-21T01:39:18"`), "0 occurred_at: must be an RFC 3339 time"},
		{custom(`"occurred_at":"2026-02-30T01:39:18Z"`), "0 occurred_at: must be an RFC 3339 time"},
		{custom(`"occurred_at":1538594411651`), "0 occurred_at: must be a string"},
		{custom(`"occurred_at":"1969-12-31T23:59:59Z"`), "0 occurred_at: must be from 1970"},
		{custom(`"occurred_at":"0000-01-01T00:00:00Z"`), "0 occurred_at: must be from 1970"},
		{custom(`"occurred_at":"9999-12-31T23:59:59Z"`), "0 occurred_at: must be from 1970"},
		{custom(`"occurred_at":"2026-11-22T02:00:01Z"`), "0 occurred_at: must be from 1970"},
		{custom(`"location":"Main"`), "0 location: must be 1 to 64 of the characters a-z, 0-9 and -"},
		{custom(`"location":""`), "0 location: must be 1 to 64"},
		{custom(`"location":5`), "0 location: must be a string"},
		{custom(`"community":"` + strings.Repeat("a", 65) + `"`), "0 community: must be 1 to 64"},
		{custom(`"actor":"me"`), "0 actor: must be an object"},
		{custom(`"actor":{"user_id":"4"}`), "0 actor.user_id: must be a whole number"},
		{custom(`"actor":{"user_id":9007199254740992}`), "0 actor.user_id: must be from -9007199254740991 to 9007199254740991"},
		{custom(`"actor":{"display_name":[]}`), "0 actor.display_name: must be a string"},
		{custom(`"subject":4`), "0 subject: must be a string"},
		{custom(`"subject":"x"`), "0 subject: must be a decimal from 0 to 2147483647"},
		{custom(`"subject":"-1"`), "0 subject: must be a decimal"},
		{custom(`"subject":"2147483648"`), "0 subject: must be a decimal"},
		{custom(`"subject":"99999999999999999999"`), "0 subject: must be a decimal"},
		{`{"type":"user.updated","subject":"` + strings.Repeat("u", 129) + `"}`, "0 subject: must have 1 to 128 characters"},
		{custom(`"data":[]`), "0 data: must be an object"},
		{custom(`"changes":"name"`), "0 changes: must be a list of strings"},
		{custom(`"changes":["a",null]`), "0 changes[1]: must be a string"},

		{`{"type":"question.created"}`, "0 question: is required"},
		{`{"type":"question.created","question":[]}`, "0 question: must be an object"},
		{`{"type":"question.created","question":{}}`, "0 question.question_id: is required\n0 question.title: is required\n0 question.link: is required"},
		{`{"type":"answer.created",` + q + `}`, "0 answer: is required"},
		{answer(`{}`), "0 answer.answer_id: is required"},
		{answer(`{"answer_id":0}`), "0 answer.answer_id: must be from 1 to"},
		{answer(`{"answer_id":1,"is_accepted":"yes"}`), "0 answer.is_accepted: must be true or false"},
		{answer(`{"answer_id":1,"owner":5}`), "0 answer.owner: must be an object"},
		{answer(`{"answer_id":1,"owner":{"user_id":0.5}}`), "0 answer.owner.user_id: must be a whole number"},
		{answer(`{"answer_id":1,"link":"javascript:alert(1)"}`), "0 answer.link: must be a URL"},
		{`{"type":"comment.created"}`, "0 question: is required; a comment"},
		{`{"type":"comment.created",` + q + `}`, "0 comment: is required"},
		{`{"type":"comment.created",` + q + `,"comment":{"comment_id":1}}`, "0 comment.body: is required"},
		{`{"type":"comment.created",` + q + `,"answer":{},"comment":{"comment_id":1,"body":""}}`, "0 answer.answer_id: is required"},
		{question(`,"body":{}`), "0 question.body: must be a string"},
		{question(`,"score":"5"`), "0 question.score: must be a whole number"},
		{question(`,"score":1e2`), "0 question.score: must be a whole number"},
		{question(`,"score":99999999999999999999`), "0 question.score: must be from"},
		{question(`,"creation_date":-1`), "0 question.creation_date: must be from 0 to"},
		{question(`,"last_edit_date":253402300799999`), "0 question.last_edit_date: must be from 0 to"},
		{question(`,"tags":"python"`), "0 question.tags: must be a list of strings"},
		{question(`,"tags":["a","b","c",7]`), "0 question.tags[3]: must be a string"},
		{question(`,"tags":["a",""]`), "0 question.tags[1]: must have 1 to 64 characters, not 0"},
		{question(`,"tags":["` + strings.Repeat("é", 65) + `"]`), "0 question.tags[0]: must have 1 to 64 characters, not 65"},
		{question(`,"tags":[` + strings.Repeat(`"a",`, 50) + `"b"]`), "0 question.tags: must be at most 50"},
		{`{"type":"question.created","question":{"question_id":1,"title":" ","link":"http://s/q"}}`, "0 question.title: must have 1 to 300 characters, not 0"},
		{`{"type":"question.created","question":{"question_id":1,"title":"` + strings.Repeat("é", 301) + `","link":"http://s/q"}}`, "0 question.title: must have 1 to 300 characters, not 301"},
		{`{"type":"question.created","question":{"question_id":1,"title":"T","link":"/q"}}`, "0 question.link: must be a URL"},
		{`{"type":"question.created","question":{"question_id":1,"title":"T","link":"ftp://s/q"}}`, "0 question.link: must be a URL"},
		{`{"type":"question.created","question":{"question_id":1,"title":"T","link":"https:///q"}}`, "0 question.link: must be a URL"},
		{`{"type":"question.created","question":{"question_id":1e0,"title":1,"link":2}}`, "0 question.question_id: must be a whole number\n0 question.title: must be a string\n0 question.link: must be a string"},

		{``, "null : is not JSON: it ends too early"},
		{`{"type":`, "0 type: is not valid JSON: it ends too early, after byte 8"},
		{`{"type":"lead.scored"} x`, "null : is followed by more data"},
		{`{"type":"lead.scored"}{}`, "null : is followed by more data"},
		{`{"type":"a.b","type":"a.b"}`, "0 type: appears twice in its object"},
		{question(`,"owner":{"user_id":1,"user\u005fid":2}`), "0 question.owner.user_id: appears twice in its object"},
		{custom(`"data":{"a":[0,"\ud800"]}`), "0 data.a[1]: is not valid JSON: invalid surrogate pair"},
		{custom(`"data":{"a":"` + "\xff" + `"}`), "0 data.a: is not valid JSON: invalid UTF-8"},
		{custom(`"data":{"a":"` + "\x00" + `"}`), "0 data.a: is not valid JSON: invalid character '\\x00'"},
		{custom(`"data":{"a":[{"b":"x\\\u0000"}]}`), `0 data.a[0].b: contains the character NUL (\u0000)`},
		{custom(`"data":{"a\u0000":1}`), `0 data.a` + "\x00" + `: contains the character NUL`},
		{custom(`"data":{"a":NaN}`), "0 data.a: is not valid JSON: invalid character 'N'"},
		{custom(`"data":{"a":01}`), "0 data: is not valid JSON"},
		{custom(`"data":{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`), "0 data.a[0]"},
		{custom(`"data":` + strings.Repeat("[", 20000)), "0 data[0]"},
		{"\xef\xbb\xbf" + custom(`"x":1`), "null : is not valid JSON"},

		{`{"events":{}}`, "null events: must be a list of events"},
		{`{"events":null}`, "null events: must be a list of events"},
		{`{"type":"lead.scored","events":[]}`, "null events: must not be combined with type"},
		{`{"events":[]}`, "null : contains no events"},
		{`{"events":[{"type":"lead.scored"},7]}`, "1 : must be an object"},
		{`{"events":[{"type":"lead.scored"},{"type":"lead.scored","id":4}]}`, "1 id: must be a string"},
		{`{"events":[{"type":"lead.scored"},{"type":"a.b","question":{"tags":["\ud800"]}}]}`, "1 question.tags[0]: is not valid JSON"},
		{`{"events":[{"type":"lead.scored"},{"id":1,"id":2}]}`, "1 id: appears twice"},
		{`{"events":[{"type":"lead.scored"},`, "null events"},
	} {
		events, rej := ReadEvents([]byte(tc.event), false, testNow)
		if rej == nil {
			t.Errorf("%.200s: taken as %+v", tc.event, events)
			continue
		}
		if got := faultsOf(rej.Errs); !strings.HasPrefix(got, tc.fault) || rej.Status != 400 || events != nil {
			t.Errorf("%.200s:\n got %s\nwant %s", tc.event, got, tc.fault)
		}
		if want := strings.Count(tc.fault, "\n") + 1; len(rej.Errs) != want {
			t.Errorf("%.200s: %d faults: %s", tc.event, len(rej.Errs), faultsOf(rej.Errs))
		}
	}
}

// TestAtTheLimits: values just within a limit are accepted.
func TestAtTheLimits(t *testing.T) {
	long := strings.Repeat("é", 300)
	tags := strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("é", 64)+`",`, 50), ",")
	for _, event := range []string{
		`{"type":"question.created","question":{"question_id":9007199254740991,"title":"` + long + `","link":"HTTPS://s","tags":[` + tags + `],"score":-9007199254740991,"creation_date":0}}`,
		`{"type":"a.` + strings.Repeat("b", 126) + `","id":"` + strings.Repeat("é", 128) + `","location":"` + strings.Repeat("-", 64) + `","subject":"0"}`,
		`{"type":"lead.scored","occurred_at":"1970-01-01T00:00:00Z"}`,
		`{"type":"lead.scored","occurred_at":"2026-11-22T02:00:00Z","id":"two words"}`,
		`{"type":"lead.scored","data":{"a":` + strings.Repeat("[", 62) + strings.Repeat("]", 62) + `}}`,
		`{"type":"lead.scored","data":{"a":"\\u0000","b":123456789012345678901234567890}}`,
		`{"events":[{"type":"lead.scored","data":` + strings.Repeat(`{"a":`, 63) + `1` + strings.Repeat(`}`, 63) + `}]}`,
		`{"type":"lead.scored","Type":7,"ID":{},"Question":1}`,
	} {
		if _, rej := ReadEvents([]byte(event), false, testNow); rej != nil {
			t.Errorf("%.100s: %s", event, faultsOf(rej.Errs))
		}
	}
}

// TestAllFaultsAreTold: of every event and line, up to a limit.
func TestAllFaultsAreTold(t *testing.T) {
	_, rej := ReadEvents([]byte("{\"type\":\"lead\"}\n\n{\"type\":\n{\"type\":\"a.b\"}\nnull\n{\"type\":\"a.b\",\"id\":5,\"data\":1}"), true, testNow)
	want := "1 type: is not valid JSON: it ends too early, after byte 8\n0 type: must have two parts joined by a dot, such as lead.scored; each starts with a letter and consists of a-z, 0-9 and _\n" +
		"3 : must be an object\n4 id: must be a string\n4 data: must be an object"
	if got := faultsOf(rej.Errs); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for _, lines := range []bool{true, false} {
		for _, bad := range []string{`{"type":"x"}`, `{"type":"a.b","changes":[1]}`} {
			body := strings.Repeat(bad+"\n", 500)
			if !lines {
				body = `{"events":[` + strings.TrimSuffix(strings.Repeat(bad+",", 500), ",") + `]}`
			}
			if _, rej = ReadEvents([]byte(body), lines, testNow); len(rej.Errs) != api.MaxFaults || !strings.Contains(rej.Detail, "many faults") {
				t.Errorf("%d faults told: %s", len(rej.Errs), rej.Detail)
			}
		}
	}
	_, rej = ReadEvents([]byte(strings.Repeat("{\n", 500)), true, testNow)
	if len(rej.Errs) != api.MaxFaults {
		t.Errorf("%d faults told of broken lines", len(rej.Errs))
	}
}

// TestFaultsStaySmall: a sender's megabytes do not come back.
func TestFaultsStaySmall(t *testing.T) {
	key := strings.Repeat("é", 100_000)
	_, rej := ReadEvents([]byte(`{"type":"a.b","`+key+`":1,"`+key+`":2}`), false, testNow)
	if rej == nil || len(faultsOf(rej.Errs)) > 1000 {
		t.Errorf("%.100s", faultsOf(rej.Errs))
	}
}
