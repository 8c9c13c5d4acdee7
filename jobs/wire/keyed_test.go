package wire

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// openssl computes an HMAC with the command of that name, which nobody here
// wrote.
func openssl(t *testing.T, digest, key string, body []byte) []byte {
	t.Helper()
	command := exec.Command("openssl", "dgst", "-"+digest, "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString([]byte(key)), "-binary")
	command.Stdin = strings.NewReader(string(body))
	sum, err := command.Output()
	if err != nil {
		t.Fatalf("openssl is needed; as root on Debian this command installs it: make setup (%v)", err)
	}
	return sum
}

func TestUserEchoSignature(t *testing.T) {
	f := known(t, "userecho")
	for _, e := range []Event{teamCreated, sampleEvent(QuestionCreated), sampleEvent(AnswerAccepted)} {
		for _, key := range []string{"testkey", f.NewSecret(), "ключ"} {
			for digest, options := range map[string]map[string]string{
				"sha256": nil, "sha1": {"digest": "sha1"}, "SHA256": {"digest": "sha256"},
			} {
				body, header := signedRequest(t, f, e, time.Now(), options, key)
				want := hex.EncodeToString(openssl(t, strings.ToLower(digest), key, body))
				if got := header.Get("X-UE-Signature"); got != want {
					t.Errorf("%s, key %.4s…: %s, want %s", digest, key, got, want)
				}
				if openssl := openssl(t, strings.ToLower(digest), key, append(body, ' ')); hex.EncodeToString(openssl) == want {
					t.Error("a changed body has the same signature")
				}
			}
		}
	}
	if _, header := signedRequest(t, f, teamCreated, time.Now(), nil, ""); header.Get("X-UE-Signature") != "" {
		t.Errorf("signed without a key: %v", header)
	}
}

func TestUserEchoBody(t *testing.T) {
	f := known(t, "userecho")
	e := Event{Type: "topic.created", OccurredAt: time.Date(2014, 4, 25, 6, 17, 38, 306999e3, time.FixedZone("", 7200)), Data: json.RawMessage(`{"id":439181}`)}
	body, _ := signedRequest(t, f, e, time.Now(), nil)
	if want := `{"hook":"topic.created","created":"2014-04-25T04:17:38.306Z","data":{"id":439181}}`; string(body) != want {
		t.Errorf("body %s, want %s", body, want)
	}
	if f.HTTPSOnly || f.Fields[0].Key != "digest" || f.Fields[0].Choices[0] != "sha256" || f.Policy.Timeout != 10*time.Second {
		t.Errorf("%+v", f)
	}
}

func TestSuperOfficeSignature(t *testing.T) {
	f := known(t, "superoffice")
	for _, key := range []string{"Something Super Secret", f.NewSecret(), "Hemmelig nøkkel"} {
		body, header := signedRequest(t, f, sampleEvent(AnswerEdited), time.Now(), map[string]string{"properties": `{"a":"é"}`}, key)
		want := base64.StdEncoding.EncodeToString(openssl(t, "sha256", key, body))
		if got := header.Get("X-SuperOffice-Signature"); got != want {
			t.Errorf("key %.4s…: %s, want %s", key, got, want)
		}
	}
	if _, header := signedRequest(t, f, teamCreated, time.Now(), nil); header.Get("X-SuperOffice-Signature") != "" {
		t.Errorf("signed without a secret: %v", header)
	}
	made, err := base64.StdEncoding.DecodeString(f.NewSecret())
	if err != nil || len(made) != 32 {
		t.Errorf("a new secret has %d bytes, %v", len(made), err)
	}
}

func TestKeyTexts(t *testing.T) {
	for _, name := range []string{"userecho", "superoffice"} {
		f := known(t, name)
		for secret, good := range map[string]bool{
			"": false, "t": true, "testkey": true, "Something Super Secret": true, "nøkkel": true, strings.Repeat("é", 256): true,
			strings.Repeat("x", 257): false, "tab\tin it": false, "nul\x00": false, "\xff": false, "line\nbreak": false,
		} {
			if err := f.CheckSecret(secret); (err == nil) != good {
				t.Errorf("%s, %q: %v", name, secret, err)
			}
		}
	}
}

func TestSuperOfficeHeaders(t *testing.T) {
	f := known(t, "superoffice")
	r := Request{ID: f.NewID(), EventTypes: []string{"sale.sold"}, Retries: 4}
	header := headerOf(f, r)
	if header.Get("X-SuperOffice-Retry") != "4" || header.Get("X-SuperOffice-Event") != "sale.sold" || header.Get("X-Hook-Test") != "" {
		t.Errorf("%v", header)
	}
	if header.Get("User-Agent") != "NetServer-Webhook/Sitehooks-"+Version || header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%v", header)
	}
	r.Test, r.EventTypes = true, []string{f.Samples(nil)[0].Type}
	if header = headerOf(f, r); header.Get("X-Hook-Test") != "true" || header.Get("X-SuperOffice-Event") != "test" {
		t.Errorf("%v", header)
	}
	guid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !guid.MatchString(r.ID) || header.Get("X-SuperOffice-EventId") != r.ID {
		t.Errorf("id %s", r.ID)
	}
}

// TestSuperOfficeBody: the place of each value, for events with many and with
// few.
func TestSuperOfficeBody(t *testing.T) {
	f := known(t, "superoffice")
	at := time.Date(2018, 4, 5, 8, 28, 1, 573250100, time.UTC)
	const head, tail = `{"EventId":"guid","Timestamp":"2018-04-05T08:28:01.5732501Z",`, `"ContextIdentifier":"Default",`
	for name, c := range map[string]struct {
		event Event
		want  string
	}{
		"changed": {
			Event{Type: "contact.changed", Subject: "18", Actor: User{UserID: 5}, Changes: []string{"name", "updated"}, Data: json.RawMessage(`{"b":1.0,"a":null}`)},
			`"Changes":["name","updated"],"Event":"contact.changed","PrimaryKey":18,"Entity":"contact",` + tail +
				`"ChangedByAssociateId":5,"WebhookName":"Tony's","FieldValues":{"b":1.0,"a":null}}`,
		},
		"deleted": {
			Event{Type: "contact.deleted", Subject: "2147483647", Data: json.RawMessage(`{"name":"x"}`)},
			`"Changes":[],"Values":{"name":"x"},"Event":"contact.deleted","PrimaryKey":2147483647,"Entity":"contact",` + tail +
				`"ChangedByAssociateId":0,"WebhookName":"Tony's","FieldValues":{}}`,
		},
		"deleted softly": {
			Event{Type: "contact.softdeleted", Subject: "1"},
			`"Changes":[],"Event":"contact.softdeleted","PrimaryKey":1,"Entity":"contact",` + tail +
				`"ChangedByAssociateId":0,"WebhookName":"Tony's","FieldValues":{}}`,
		},
		"custom": {
			Event{Type: "lead.scored", Data: json.RawMessage(`{"score":7}`)},
			`"Changes":[],"Event":"lead.scored","PrimaryKey":0,"Entity":"lead",` + tail +
				`"ChangedByAssociateId":0,"WebhookName":"Tony's","FieldValues":{"score":7}}`,
		},
		"test": {
			Event{Type: f.Samples(nil)[0].Type},
			`"Changes":[],"Event":"test","PrimaryKey":0,"Entity":"test",` + tail +
				`"ChangedByAssociateId":0,"WebhookName":"Tony's","FieldValues":{}}`,
		},
	} {
		c.event.OccurredAt = at
		body, used, err := f.Build([]Event{c.event}, Draft{ID: "guid", WebhookName: "Tony's"})
		if err != nil || used != 1 || string(body) != head+c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, body, head+c.want)
		}
	}
}

func TestSuperOfficeProperties(t *testing.T) {
	f := known(t, "superoffice")
	field := f.Fields[0]
	if field.Key != "properties" || f.Fields[1].Key != "errors_email" {
		t.Fatalf("fields %+v", f.Fields)
	}
	for typed, want := range map[string]string{
		``: ``, `{}`: ``, " { \n } ": ``, "{\n  \"b\": 1.0,\n  \"a\": {\"x\": [1, null]}\n}": `{"b":1.0,"a":{"x":[1,null]}}`,
	} {
		if stored, err := field.Check(typed); err != nil || stored != want {
			t.Errorf("%q is kept as %q, %v", typed, stored, err)
		}
	}
	for _, typed := range []string{`x`, `[]`, `null`, `"a"`, `{"a":1`, `{"a":1}{}`, `{"a":1,"a":2}`, `{"a":}`, `{"x":1,"eventid":2}`} {
		if _, err := field.Check(typed); err == nil || !strings.HasSuffix(err.Error(), ".") {
			t.Errorf("%q: %v; want a sentence", typed, err)
		}
	}
	build := func(properties string) string {
		body, _, err := f.Build([]Event{{Type: "lead.scored"}}, Draft{ID: "guid", Options: map[string]string{"properties": properties}})
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(body), `"FieldValues":{}`)
		return after
	}
	for properties, want := range map[string]string{
		``: `}`, `{"z":1.0,"a":"\u00e9"}`: `,"z":1.0,"a":"\u00e9"}`, `{"Event":"mine","VALUES":1,"x":2}`: `,"x":2}`,
		`{"":0,"quo\"te":"<"}`: `,"":0,"quo\"te":"<"}`, `broken`: `}`,
	} {
		if got := build(properties); got != want {
			t.Errorf("%s is added as %s, want %s", properties, got, want)
		}
	}
}

func TestCustomEvents(t *testing.T) {
	f := known(t, "superoffice")
	want := []EventKind{{"a_1", "a_1.b_2"}, {"lead", "lead.scored"}, {"question", "question.edited"}}
	if got := f.EventKinds([]string{"lead.scored", "question.changed", "user.created", "x", "a_1.b_2", "lead.scored"}); !slices.Equal(got, want) {
		t.Errorf("covers %v", got)
	}
	if _, offered := f.Covering(EventKind{"forum-comment", "comment.created"}); offered {
		t.Error("a forum's comment is offered")
	}
	for value, good := range map[string]bool{
		"lead.scored": true, "a.b": true, "project_member.created": true, strings.Repeat("a", 126) + ".b": true,
		"webhook.broken": true, "webhook.created": true,
		strings.Repeat("a", 127) + ".b": false, "lead": false, "lead.": false, ".scored": false, "Lead.scored": false, "1a.b": false,
		"a.1": false, "a.b.c": false, "a b.c": false, "": false, "contact.sold": false, "user.created": false, "topic.created": false,
		"team.x": false, "question.edited": false, "comment.deleted": false, "a.b\n": false,
	} {
		if _, err := f.Option(value); (err == nil) != good || err != nil && !strings.HasSuffix(err.Error(), ".") {
			t.Errorf("%q: %v", value, err)
		}
	}
	for _, other := range []string{"generic", "slack", "stackauth", "userecho"} {
		if o, err := known(t, other).Option("lead.scored"); err == nil {
			t.Errorf("%s offers %+v", other, o)
		}
	}
}

// vector is a known answer of testdata/vectors/signatures.json.
type vector struct {
	Format, Source, Secret, Digest, ID, Body, Signature string
	Timestamp                                           int64
}

func TestVectors(t *testing.T) {
	var vectors []vector
	readJSON(t, "testdata/vectors/signatures.json", &vectors)
	seen := map[string]bool{}
	for _, v := range vectors {
		seen[v.Format] = true
		f := known(t, v.Format)
		header := headerOf(f, Request{
			ID: v.ID, Body: []byte(v.Body), At: time.Unix(v.Timestamp, 0), Secrets: []string{v.Secret},
			Options: map[string]string{"digest": v.Digest},
		})
		name := map[string]string{"stackauth": "svix-signature", "userecho": "X-UE-Signature", "superoffice": "X-SuperOffice-Signature"}[v.Format]
		if got := header.Get(name); got != v.Signature {
			t.Errorf("%s %s: %s, want %s", v.Format, v.Digest, got, v.Signature)
		}
		if err := f.CheckSecret(v.Secret); err != nil {
			t.Errorf("%s: the vector's secret is refused: %v", v.Format, err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("vectors of %v", seen)
	}
}
