package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// slackMessages builds all messages of events. Each is decoded strictly by a
// library of Slack's format, and written again says the same, so it has
// nothing in it that Slack does not know.
func slackMessages(t *testing.T, events []Event) []slack.WebhookMessage {
	t.Helper()
	f := known(t, "slack")
	var messages []slack.WebhookMessage
	for len(events) > 0 {
		body, used, err := f.Build(events, Draft{})
		if err != nil || used < 1 {
			t.Fatalf("used %d: %v", used, err)
		}
		events = events[used:]
		var m slack.WebhookMessage
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&m); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		var written, read map[string]any
		again, err := json.Marshal(m)
		if err != nil || json.Unmarshal(body, &written) != nil || json.Unmarshal(again, &read) != nil {
			t.Fatal(err)
		}
		delete(read, "replace_original") // the library always writes these
		delete(read, "delete_original")
		if !reflect.DeepEqual(written, read) {
			t.Fatalf("sent %s\nread %s", body, again)
		}
		checkSlackLimits(t, m)
		messages = append(messages, m)
	}
	return messages
}

func checkSlackLimits(t *testing.T, m slack.WebhookMessage) {
	t.Helper()
	blocks := m.Blocks.BlockSet
	total := 0
	for _, text := range slackTexts(m) {
		total += len(text)
		if n := utf8.RuneCountInString(text); n == 0 || n > 3000 {
			t.Errorf("a text of %d characters", n)
		}
		for i := range len(text) {
			if text[i] == '&' && !strings.HasPrefix(text[i:], "&amp;") && !strings.HasPrefix(text[i:], "&lt;") && !strings.HasPrefix(text[i:], "&gt;") {
				t.Errorf("not escaped: %s", text)
			}
		}
	}
	if len(blocks) == 0 || len(blocks) > 50 || total > 12000 || m.Text == "" || len(m.Text) > 4000 {
		t.Errorf("%d blocks, %d characters, text of %d", len(blocks), total, len(m.Text))
	}
}

// slackTexts are all texts of a message's blocks in their order.
func slackTexts(m slack.WebhookMessage) []string {
	var texts []string
	for _, block := range m.Blocks.BlockSet {
		switch b := block.(type) {
		case *slack.SectionBlock:
			texts = append(texts, b.Text.Text)
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				texts = append(texts, e.(*slack.TextBlockObject).Text)
			}
		}
	}
	return texts
}

// TestSlackReads is how items read: title and body, author, action and
// location, tags; and, in brackets, the text where blocks cannot be shown.
func TestSlackReads(t *testing.T) {
	ann, bob := User{UserID: 1, DisplayName: "Ann <3"}, User{UserID: 2, DisplayName: "Bob & Co"}
	q := &Question{
		QuestionID: 7, Title: "Is a<b & c>d?\n *bold*", Body: "<p>Try <code>x &lt; y</code></p><ul><li>1</li><li>2</li></ul>",
		Link: "https://s.example/q/7?a=1&b=<|>", Tags: []string{"c++", "<t>"}, Owner: bob,
	}
	a := &Answer{AnswerID: 8, Body: "Yes", Link: "https://s.example/a/8", Owner: bob}
	c := &Comment{CommentID: 9, Body: "Why?", Link: "https://s.example/c/9", Owner: ann}
	const title, plain, tags = "Is a&lt;b &amp; c&gt;d? *bold*>*", ": Is a&lt;b &amp; c&gt;d? *bold*", "|Tags: c++, &lt;t&gt;"
	for _, test := range []struct {
		event Event
		want  string
	}{
		{
			Event{Type: QuestionCreated, Location: "main", Question: q},
			"*<https://s.example/q/7?a=1&amp;b=%3C%7C%3E|" + title + "\nTry x &lt; y 1 2|*Bob &amp; Co* asked a question on the main site" + tags +
				"[Bob &amp; Co asked a question on the main site" + plain + "]",
		},
		{
			Event{Type: QuestionEdited, Location: "python", Community: "data", Actor: ann, Question: q},
			"*<https://s.example/q/7?a=1&amp;b=%3C%7C%3E|" + title + "\nTry x &lt; y 1 2|*Ann &lt;3* edited a question by *Bob &amp; Co* in python, community data" + tags +
				"[Ann &lt;3 edited a question by Bob &amp; Co in python, community data" + plain + "]",
		},
		{
			Event{Type: AnswerEdited, Location: "main", Actor: bob, Question: q, Answer: a},
			"*<https://s.example/a/8|" + title + "\nYes|*Bob &amp; Co* edited an answer on the main site" + tags + "[Bob &amp; Co edited an answer on the main site" + plain + "]",
		},
		{
			Event{Type: AnswerAccepted, Location: "main", Question: q, Answer: a},
			"*<https://s.example/a/8|" + title + "\nYes|An answer by *Bob &amp; Co* was accepted on the main site" + tags + "[An answer by Bob &amp; Co was accepted on the main site" + plain + "]",
		},
		{
			Event{Type: CommentCreated, Location: "main", Question: q, Answer: a, Comment: c},
			"*<https://s.example/c/9|" + title + "\nWhy?|*Ann &lt;3* wrote a comment on the main site" + tags + "[Ann &lt;3 wrote a comment on the main site" + plain + "]",
		},
		{
			Event{Type: AnswerCreated, Location: "main", Actor: User{UserID: 12}, Question: &Question{Title: " \n"}, Answer: &Answer{Link: "javascript:x"}},
			"*Untitled*|*user 12* answered a question on the main site[user 12 answered a question on the main site: Untitled]",
		},
		{
			Event{Type: WebhookBroken, Location: "main", Data: json.RawMessage(`{"id":3,"name":"A & B","reason":"410 <gone>"}`)},
			"*Webhook broke: A &amp; B*\n410 &lt;gone&gt;|Sitehooks stopped sending to webhook 3 on the main site" +
				"[Sitehooks stopped sending to webhook 3 on the main site: Webhook broke: A &amp; B]",
		},
	} {
		m := slackMessages(t, []Event{test.event})
		if got := strings.Join(slackTexts(m[0]), "|") + "[" + m[0].Text + "]"; len(m) != 1 || got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.event.Type, got, test.want)
		}
	}
}

// TestSlackExcerpt: 300 characters of the body, of any kind, and an ellipsis if
// there are more.
func TestSlackExcerpt(t *testing.T) {
	excerpt := func(body string) string {
		m := slackMessages(t, []Event{question(1, body)})
		_, text, _ := strings.Cut(slackTexts(m[0])[0], "\n")
		return text
	}
	for body, want := range map[string]string{
		"":                                 "",
		"<p></p>":                          "",
		strings.Repeat("漢", 300):           strings.Repeat("漢", 300),
		strings.Repeat("漢", 301):           strings.Repeat("漢", 300) + "…",
		"<b>" + strings.Repeat("a", 1e6):   strings.Repeat("a", 300) + "…",
		strings.Repeat("&", 300):           strings.Repeat("&amp;", 300),
		strings.Repeat("<p>&lt;</p>", 300): strings.Repeat("&lt; ", 149) + "&lt; …",
		"<i>" + strings.Repeat("🙂", 299) + "</i>": strings.Repeat("🙂", 299),
	} {
		if got := excerpt(body); got != want {
			t.Errorf("%.40q: %d characters %.60q, want %.60q", body, utf8.RuneCountInString(got), got, want)
		}
	}
}

// TestSlackLongLink: beside a title with a long link, the excerpt is as long as
// the section has room for it.
func TestSlackLongLink(t *testing.T) {
	for length, cut := range map[int]bool{400: false, 494: false, 495: true, 496: true, 497: true} {
		e := question(1, strings.Repeat("&", 200))
		e.Question.Title = strings.Repeat("&", 300)
		e.Question.Link = ("https://s.example/" + strings.Repeat("x", length))[:length]
		text := slackTexts(slackMessages(t, []Event{e})[0])[0]
		if !strings.Contains(text, e.Question.Link) || strings.HasSuffix(text, "…") != cut {
			t.Errorf("a link of %d characters: a section of %d, cut %v", length, len(text), !cut)
		}
	}
}

// TestSlackFallback: the text where blocks cannot be shown has a line for each
// item, and says how many more there are than it has room for.
func TestSlackFallback(t *testing.T) {
	var events []Event
	for i := range int64(17) {
		e := question(i, "")
		e.Question.Title = strings.Repeat("t", 290)
		events = append(events, e)
	}
	for n, more := range map[int]string{1: "", 8: "", 9: "", 12: "and 3 more", 17: "and 8 more"} {
		lines := strings.Split(slackMessages(t, events[:n])[0].Text, "\n")
		last := lines[len(lines)-1]
		if more == "" && len(lines) != n || more != "" && (last != more || len(lines) != 10) {
			t.Errorf("of %d items: %d lines, the last %q", n, len(lines), last)
		}
	}
}

// TestSlackPages: more items go into the next message, each once and in order,
// however long they are.
func TestSlackPages(t *testing.T) {
	for name, c := range map[string]struct {
		of    func(i int64) Event
		first int // items in the first message
	}{
		"short": {func(i int64) Event { return question(i, "body") }, 17},
		"long":  {func(i int64) Event { return question(i, strings.Repeat("<&> ", 200)) }, 0},
		"as long as can be": {func(i int64) Event {
			e := question(i, strings.Repeat("&", 1000))
			e.Question.Link = "https://s.example/" + strings.Repeat("x", 5000)
			e.Question.Tags = strings.Fields(strings.Repeat(strings.Repeat("&", 64)+" ", 50))
			e.Question.Owner = User{UserID: 1, DisplayName: strings.Repeat("&", 1000)}
			e.Question.Title = strings.Repeat("&", 300)
			return e
		}, 0},
	} {
		var events []Event
		for i := range int64(60) {
			e := c.of(i)
			e.Location = "main"
			e.Question.Title = fmt.Sprintf("<%d> %s", i, e.Question.Title)
			events = append(events, e)
		}
		next := 0
		for page, m := range slackMessages(t, events) {
			items := 0
			for _, text := range slackTexts(m) {
				if strings.Contains(text, fmt.Sprintf("&lt;%d&gt;", next)) {
					next++
					items++
				}
			}
			if items == 0 || page == 0 && c.first > 0 && items != c.first {
				t.Errorf("%s: page %d has %d items", name, page, items)
			}
		}
		if next != len(events) {
			t.Errorf("%s: %d items of %d", name, next, len(events))
		}
	}
}

func TestSlackHasNoSecrets(t *testing.T) {
	f := known(t, "slack")
	if len(f.Secrets) != 0 || !f.SecretURL || f.NeedsFeature || f.NewSecret != nil {
		t.Errorf("%+v", f)
	}
}

func TestPlainText(t *testing.T) {
	for source, want := range map[string]string{
		"plain & simple":                             "plain & simple",
		"if a<b then & c &lt;d&gt;":                  "if a<b then & c <d>",
		"a < b > c":                                  "a < b > c",
		"<p>one</p><p>two</p>":                       "one two",
		"<p>bo<b>ld</b>&nbsp;&amp;\n\t<br>x</p>":     "bold & x",
		"<pre><code>go\n  run</code></pre>":          "go run",
		"<script>alert(1)</script>a<style>b</style>": "a",
		"<script>never closed":                       "",
		"<!-- no -->yes":                             "yes",
		"<img src=x alt=y>z<a href='q'>l</a>":        "zl",
		"<td>1</td><td>2</td>":                       "1 2",
		"&#128578;&copy;&nosuch;":                    "🙂©&nosuch;",
	} {
		if got := strings.TrimSpace(plainText(source, 300)); got != want {
			t.Errorf("%q reads %q, want %q", source, got, want)
		}
	}
}

// FuzzSlack: for any text, messages stay within Slack's limits and within its
// format.
func FuzzSlack(f *testing.F) {
	f.Add("title", "<p>body</p>", "https://s.example/q", "tag", uint8(3))
	f.Add("<!channel>", "<script>&amp;", "https://s.example/|>", "\xff", uint8(60))
	f.Add(strings.Repeat("&", 400), strings.Repeat("<b>&", 400), "https://"+strings.Repeat("<", 900), strings.Repeat(">", 99), uint8(20))
	f.Fuzz(func(t *testing.T, title, body, link, tag string, count uint8) {
		var events []Event
		for i := range int64(count%64) + 1 {
			events = append(events, Event{Type: QuestionCreated, Location: tag, Question: &Question{
				QuestionID: i, Title: strings.ToValidUTF8(title, "?"), Body: strings.ToValidUTF8(body, "?"), Link: strings.ToValidUTF8(link, "?"),
				Tags: []string{strings.ToValidUTF8(tag, "?")}, Owner: User{UserID: i, DisplayName: strings.ToValidUTF8(title, "?")},
			}})
			events[i].Location = strings.ToValidUTF8(tag, "?")
			if len(events[i].Location) > 64 { // no longer ones can be stored
				events[i].Location = "main"
			}
		}
		slackMessages(t, events)
	})
}
