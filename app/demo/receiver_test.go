package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// postTo sends a body to a receiver and returns status and answer.
func postTo(t *testing.T, r http.Handler, path, body string, headers ...string) (int, string) {
	t.Helper()
	q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w.Code, w.Body.String()
}

func pageOf(t *testing.T, r http.Handler, path string) (*goquery.Document, *httptest.ResponseRecorder) {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc, w
}

func TestReceiverShowsWhatCame(t *testing.T) {
	r := NewReceiver()
	doc, _ := pageOf(t, r, "/")
	if got := doc.Find(".empty").Text(); !strings.Contains(got, "Nothing yet") {
		t.Errorf("empty page says %q", got)
	}
	r.Expect("python", "a secret that signs nothing here", "")
	body := `{"questions":[{"title":"<script>alert(1)</script> \"quoted\" שלום","type":"question created","link":"javascript:alert(1)"}],
		"answers":[{"title":"Answered","type":"answer created","link":"https://site.example/1"}],"comments":[{"body":"Nice","type":"comment created"}]}`
	if code, text := postTo(t, r, "/hook/python", body, "webhook-signature", "v1,AAAA", "webhook-timestamp", "1", "X-Odd", "<img src=x>"); code != http.StatusUnauthorized || text != "The timestamp is more than 5 minutes from the receiver's clock.\n" {
		t.Errorf("hook answered %d %q", code, text)
	}
	if code, text := postTo(t, r, "/hook/python", body); code != http.StatusUnauthorized || text != "The request has no signature header, although a signature is expected.\n" {
		t.Errorf("without a signature, it answered %d %q", code, text)
	}
	if code, text := postTo(t, r, "/hook/other", body, "webhook-signature", "v1,AAAA"); code != http.StatusOK || text != "ok" {
		t.Errorf("a hook without a secret answered %d %q", code, text)
	}
	if code, _ := postTo(t, r, "/gone/old", "not json at all"); code != http.StatusGone {
		t.Errorf("gone hook answered %d", code)
	}
	doc, w := pageOf(t, r, "/")
	if doc.Find("script, img").Length() != 0 {
		t.Error("content became markup")
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'") {
		t.Errorf("policy is %q", csp)
	}
	articles := doc.Find("article")
	if articles.Length() != 4 || !strings.Contains(articles.First().Text(), "answered 410") {
		t.Fatalf("newest request is not first: %q", articles.First().Text())
	}
	items := articles.Last().Find(".items li")
	if items.Length() != 3 || !strings.Contains(items.First().Text(), `<script>alert(1)</script> "quoted" שלום`) {
		t.Errorf("items: %q", items.Text())
	}
	if links := items.Find("a"); links.Length() != 1 || links.AttrOr("href", "") != "https://site.example/1" {
		t.Errorf("%d links, want the one to a web address", links.Length())
	}
	if got := articles.Last().Find(".bad").Text(); got != "answered 401does not verify" {
		t.Errorf("badge says %q", got)
	}
	if !strings.Contains(articles.Last().Find("dd").Text(), "<img src=x>") {
		t.Error("header value is not shown as text")
	}
	if doc.Find(`meta[http-equiv=refresh]`).Length() != 1 {
		t.Error("page does not refresh itself")
	}
	if doc, _ = pageOf(t, r, "/?refresh=0"); doc.Find(`meta[http-equiv=refresh]`).Length() != 0 {
		t.Error("page refreshes although asked not to")
	}
}

func TestReceiverKeepsTheNewest(t *testing.T) {
	r := NewReceiver()
	for i := range requestsMax + 5 {
		postTo(t, r, fmt.Sprintf("/hook/h%d", i), "{}")
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/requests.json", nil))
	var got struct {
		Received int64
		Requests []request
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Received != requestsMax+5 || len(got.Requests) != requestsMax || got.Requests[0].Hook != "h204" || got.Requests[requestsMax-1].Hook != "h5" {
		t.Errorf("received %d, kept %d, from %s to %s", got.Received, len(got.Requests), got.Requests[0].Hook, got.Requests[len(got.Requests)-1].Hook)
	}
}

func TestReceiverRefuses(t *testing.T) {
	r := NewReceiver()
	if code, _ := postTo(t, r, "/hook/big", strings.Repeat("x", maxBody+1)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the limit: %d", code)
	}
	if code, _ := postTo(t, r, "/elsewhere", "{}"); code != http.StatusNotFound {
		t.Errorf("an unknown path: %d", code)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/hook/x", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET of a hook: %d", w.Code)
	}
	w = httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/style.css", nil))
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") || w.Body.Len() == 0 {
		t.Error("no style")
	}
}

func TestItems(t *testing.T) {
	tests := map[string]string{
		`{"text":"<https://x|A question> by Mary"}`:                               "message|<https://x|A question> by Mary|",
		`{"type":"question.created","data":{"title":"T","link":"http://x/1"}}`:    "question.created|T|http://x/1",
		`{"questions":[{"type":"q","title":"a\n b","link":"ftp://x"}]}`:           "q|a b|",
		`{"questions":[{"type":"q","title":"` + strings.Repeat("ä", 130) + `"}]}`: "q|" + strings.Repeat("ä", 119) + "…|",
		`[1,2]`: "", `{"questions":"no list"}`: "", "": "",
	}
	for body, want := range tests {
		var got []string
		for _, i := range itemsOf([]byte(body)) {
			got = append(got, i.Type+"|"+i.Title+"|"+i.Link)
		}
		if strings.Join(got, ";") != want {
			t.Errorf("items of %.60s = %q, want %q", body, got, want)
		}
	}
}
