package app_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// TestOwnerOfAWebhookMadeOverAnAPI: it belongs to the member who made the token
// in the console. One made with a token of the command line has no owner, and
// whoever sees it may claim it.
func TestOwnerOfAWebhookMadeOverAnAPI(t *testing.T) {
	hook, trust := newTypesReceiver(t)
	env := environment(t, "sqlite")
	printed, errs, err := output(t, env, "", "token", "create", "--name", "importer", "--scope", "superoffice")
	if err != nil {
		t.Fatalf("token create: %v %s", err, errs)
	}
	in := serve(t, env, trust)
	b := in.login()
	b.quick()
	b.post("/admin/tokens", url.Values{"name": {"crm"}, "scope": {"superoffice"}, "location": {""}})
	shown := regexp.MustCompile(`shk_[0-9a-f]{64}`).FindString(b.get("/admin/tokens").body)

	create := func(name, token string) (path string) {
		t.Helper()
		body := fmt.Sprintf(`{"Name":%q,"Events":["contact.created"],"TargetUrl":%q}`, name, hook.URL+"/"+name)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.base+"/superoffice/api/v1/Webhook", strings.NewReader(body))
		ok(t, err)
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		req.Header.Set("Content-Type", "application/json")
		a, err := do(t, http.DefaultClient, req)
		ok(t, err)
		id := regexp.MustCompile(`"WebhookId":(\d+)`).FindStringSubmatch(a.body)
		if a.code != http.StatusOK || id == nil {
			t.Fatalf("create %s: %d %s", name, a.code, a.body)
		}
		return "/admin/webhooks/" + id[1]
	}
	hers, nobodys := create("hers", shown), create("nobodys", printed)

	owner := func(path string) string {
		t.Helper()
		page, err := goquery.NewDocumentFromReader(strings.NewReader(b.get(path).body))
		ok(t, err)
		said := page.Find("dt").FilterFunction(func(_ int, dt *goquery.Selection) bool { return dt.Text() == "Owner" }).Next().Text()
		return strings.Join(strings.Fields(html.UnescapeString(said)), " ")
	}
	if got := owner(hers); got != "mary" {
		t.Errorf("made with mary's token: %q", got)
	}
	if got := owner(nobodys); got != "no owner made by token importer Claim" {
		t.Errorf("made with a token of the command line: %q", got)
	}
	if list := b.get("/admin/webhooks?owner=0").body; !strings.Contains(list, "made by <bdi>token importer</bdi>") || strings.Contains(list, ">hers<") {
		t.Error("the list of webhooks without an owner is another")
	}
	if a := b.post(nobodys+"/claim", nil); a.code != http.StatusSeeOther {
		t.Fatalf("claim: %d", a.code)
	}
	if got := owner(nobodys); got != "mary" {
		t.Errorf("claimed: %q", got)
	}
}
