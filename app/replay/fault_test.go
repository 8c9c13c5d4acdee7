package replay

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFilesThatCannotBeRead(t *testing.T) {
	for file, says := range map[string]string{"/does/not/exist.xml": "/does/not/exist.xml", "/dev/null": "not a regular file"} {
		out, err := runTo(t, http.NotFoundHandler(), Options{File: file})
		if err == nil || !strings.Contains(err.Error(), says) || out != "" {
			t.Errorf("%s: %v, said %q", file, err, out)
		}
	}
}

func TestNotADump(t *testing.T) {
	for text, says := range map[string]string{
		"":                                      "it is empty",
		"7z\xbc\xaf\x27\x1c":                    "unpacked first",
		"<users><row Id=\"1\"/></users>":        "starts with <users>",
		"<posts><row Id=\"1\" PostTypeId=\"1\"": "line 1",
		"<posts>\n<row></posts>":                "line 2",
	} {
		_, err := runTo(t, http.NotFoundHandler(), Options{File: dumpFile(t, text)})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "Posts.xml") {
			t.Errorf("%q: %v", text, err)
		}
	}
	var site fakeSite
	if out, err := runTo(t, &site, Options{File: dumpFile(t, "<posts/>")}); err != nil || !strings.Contains(out, "accepted 0,") || len(site.requests) > 0 {
		t.Errorf("no posts: %v, %q", err, out)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		status     int
		body, says string
	}{
		{403, `{"detail":"There is no location team yet.","errors":[{"index":null,"field":"location","message":"does not exist"}]}`, "answered 403 Forbidden: There is no location team yet."},
		{401, `{"detail":"The token is unknown."}`, "does not accept the token: 401 Unauthorized: The token is unknown."},
		{403, `{"detail":"Wrong scope."}`, "Wrong scope."},
		{400, `{"detail":"A fault.","errors":[{"index":3,"field":"question.title","message":"is required"}]}`, "\n  event 3 of the request, question.title is required"},
		{404, "<html>", "does not seem to be Sitehooks"},
		{500, "", "does not seem to be Sitehooks"},
		{202, "<html>", "is not Sitehooks"},
		{301, "", "redirects to https://elsewhere.example"},
	} {
		site := fakeSite{refuse: []func(http.ResponseWriter){refusal(tc.status, "", tc.body)}}
		out, err := runTo(t, &site, Options{File: dumpFile(t, sample)})
		if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(out, "accepted 0, duplicates 0") || strings.Contains(out, "posted to") {
			t.Errorf("%d: %v, %q", tc.status, err, out)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var out strings.Builder
	err := Run(t.Context(), Options{File: dumpFile(t, sample), URL: server.URL}, &out, &out)
	if err == nil || !strings.Contains(err.Error(), "check that `sitehooks serve` is running there") {
		t.Errorf("%v", err)
	}
}

func TestSlug(t *testing.T) {
	for title, want := range map[string]string{
		"How fine should I grind coffee for drip/pour over coffee": "how-fine-should-i-grind-coffee-for-drip-pour-over-coffee",
		"What's the theory?":       "whats-the-theory",
		"Crème brûlée":             "cr-me-br-l-e",
		"咖啡":                       "",
		strings.Repeat("abc ", 50): strings.TrimSuffix(strings.Repeat("abc-", 20), "-"),
	} {
		if got := titleSlug(title); got != want {
			t.Errorf("%s: %s", title, got)
		}
	}
	if got := (row{id: 5, title: "咖啡"}).link("https://s"); got != "https://s/questions/5" {
		t.Errorf("link without a slug: %s", got)
	}
}
