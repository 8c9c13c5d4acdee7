package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReplayArguments(t *testing.T) {
	none := func(string) string { return "" }
	for _, tc := range []struct {
		args string
		says string
	}{
		{"", "replay stackexchange FILE"},
		{"stackexchange", "replay stackexchange FILE"},
		{"stackoverflow x.xml --token t", "replay stackexchange FILE"},
		{"stackexchange x.xml y.xml --token t", "replay stackexchange FILE"},
		{"stackexchange x.xml", "SITEHOOKS_INGEST_TOKEN"},
		{"stackexchange x.xml --token t --fast", "-fast"},
		{"stackexchange x.xml --token t --speed 0", "--speed"},
		{"stackexchange x.xml --token t --speed -1", "--speed"},
		{"stackexchange x.xml --token t --speed NaN", "--speed"},
		{"stackexchange x.xml --token t --speed fast", "--speed"},
		{"stackexchange x.xml --token t --url localhost:8080", "--url"},
		{"stackexchange x.xml --token t --site ftp://x", "--site"},
		{"stackexchange x.xml --token t --site https://x/?a", "--site"},
		{"stackexchange x.xml --token t --location Main", "--location"},
		{"stackexchange x.xml --token t --location=", "--location"},
		{"stackexchange --token t /does/not/exist.xml", "/does/not/exist.xml"},
		{"stackexchange --token t /dev/null", "no regular file"},
	} {
		var out strings.Builder
		err := Replay(t.Context(), strings.Fields(tc.args), none, &out, &out)
		if err == nil || !strings.Contains(err.Error(), tc.says) || out.Len() > 0 {
			t.Errorf("%q: %v, said %q", tc.args, err, &out)
		}
	}
	var out, nothing strings.Builder
	err := Replay(t.Context(), []string{"--help"}, func(string) string { return "hush" }, &out, &nothing)
	if err != nil || !strings.Contains(out.String(), "-speed times") || strings.Contains(out.String(), "hush") || nothing.Len() > 0 {
		t.Errorf("help: %v\n%s", err, &out)
	}
}

func TestReplayFindsItsInstance(t *testing.T) {
	for addr, want := range map[string]string{
		"": "http://127.0.0.1:8080", "127.0.0.1:9000": "http://127.0.0.1:9000", "0.0.0.0:81": "http://127.0.0.1:81",
		":82": "http://127.0.0.1:82", "[::1]:83": "http://[::1]:83", "odd": "http://127.0.0.1:8080",
	} {
		env := func(name string) string { return map[string]string{"SITEHOOKS_ADDR": addr}[name] }
		for given, want := range map[string]string{"": want, "--url https://other.example": "https://other.example"} {
			o, err := replayArgs(strings.Fields("stackexchange x.xml --token t "+given), env, io.Discard)
			if err != nil || o.url != want {
				t.Errorf("SITEHOOKS_ADDR=%s %s: %s %v, want %s", addr, given, o.url, err, want)
			}
		}
	}
}

func TestReplayNotADump(t *testing.T) {
	for text, says := range map[string]string{
		"":                                      "nothing in it",
		"7z\xbc\xaf\x27\x1c":                    "unpacked first",
		"<users><row Id=\"1\"/></users>":        "starts with <users>",
		"<posts><row Id=\"1\" PostTypeId=\"1\"": "line 1",
		"<posts>\n<row></posts>":                "line 2",
	} {
		_, err := replayTo(t, http.NotFoundHandler(), replayFile(t, text))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "Posts.xml") {
			t.Errorf("%q: %v", text, err)
		}
	}
	var site replaySite
	if out, err := replayTo(t, &site, replayFile(t, "<posts/>")); err != nil || !strings.Contains(out, "accepted 0,") || len(site.requests) > 0 {
		t.Errorf("no posts: %v, %q", err, out)
	}
}

func TestReplayRefusals(t *testing.T) {
	for _, tc := range []struct {
		status     int
		body, says string
	}{
		{401, `{"detail":"The token is unknown."}`, "does not take the token: 401 Unauthorized: The token is unknown."},
		{403, `{"detail":"Wrong scope."}`, "Wrong scope."},
		{400, `{"detail":"A fault.","errors":[{"index":3,"field":"question.title","message":"is required"}]}`, "\n  event 3 of the request, question.title is required"},
		{404, "<html>", "does not seem to be Sitehooks"},
		{500, "", "does not seem to be Sitehooks"},
		{202, "<html>", "is not Sitehooks"},
		{301, "", "sends elsewhere, to https://elsewhere.example"},
	} {
		site := replaySite{refuse: []func(http.ResponseWriter){replayRefusal(tc.status, "", tc.body)}}
		out, err := replayTo(t, &site, replayFile(t, replaySample))
		if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(out, "accepted 0, duplicates 0") || strings.Contains(out, "posted to") {
			t.Errorf("%d: %v, %q", tc.status, err, out)
		}
	}
}

func TestReplayNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var out strings.Builder
	err := Replay(t.Context(), []string{"stackexchange", replayFile(t, replaySample), "--token", "t", "--url", server.URL}, func(string) string { return "" }, &out, &out)
	if err == nil || !strings.Contains(err.Error(), "is `sitehooks serve` running there?") {
		t.Errorf("%v", err)
	}
}

func TestReplaySlug(t *testing.T) {
	for title, want := range map[string]string{
		"How fine should I grind coffee for drip/pour over coffee": "how-fine-should-i-grind-coffee-for-drip-pour-over-coffee",
		"What's the theory?":       "whats-the-theory",
		"Crème brûlée":             "cr-me-br-l-e",
		"咖啡":                       "",
		strings.Repeat("abc ", 50): strings.TrimSuffix(strings.Repeat("abc-", 20), "-"),
	} {
		if got := replaySlug(title); got != want {
			t.Errorf("%s: %s", title, got)
		}
	}
	if got := (replayRow{id: 5, title: "咖啡"}).link("https://s"); got != "https://s/questions/5" {
		t.Errorf("link without a slug: %s", got)
	}
}
