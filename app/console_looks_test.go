package app_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// verdictSeen reports whether the verdict of a test, with its first sentence,
// is visible without scrolling: inside the window, and with nothing over it.
const verdictSeen = `[...document.querySelectorAll("%[1]s h2, %[1]s .s-badge, %[1]s p")].slice(0, 3).every((e) => {
	const r = e.getBoundingClientRect();
	return [[r.left + 2, r.top + 2], [r.left + 2, r.bottom - 2]].every(([x, y]) => {
		const there = document.elementFromPoint(x, y);
		return there && (e.contains(there) || there.contains(e) && there.closest("%[1]s"));
	});
}) && document.querySelectorAll("%[1]s h2").length > 0`

// TestVerdictOfATestIsSeen: after Test notification the result is visible at
// once, in the dialog, in the form's page and in the webhook's.
func TestVerdictOfATestIsSeen(t *testing.T) {
	in, b, c, found := atConsole(t)
	var fails atomic.Bool
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if fails.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, strings.Repeat("a long answer\n", 200))
	}))
	t.Cleanup(r.Close)
	b.CreateWebhook(apptest.WebhookForm(r.URL))
	for _, size := range [][2]int64{{1280, 700}, {360, 640}} {
		c.viewport(size[0], size[1])
		for _, verdict := range []string{"Test arrived", "Test failed"} {
			fails.Store(verdict == "Test failed")
			for place, open := range map[string]func(){
				"the dialog": func() {
					c.open(in.Base + "/admin/webhooks")
					c.click("a[aria-label='Edit Everything']")
					c.until("document.querySelector('dialog[open] [data-preview] .big')")
				},
				"the form": func() {
					c.open(in.Base + "/admin/webhooks/1/edit")
					c.until("document.querySelector('[data-preview] .big')")
				},
				"the webhook's page": func() { c.open(in.Base + "/admin/webhooks/1") },
			} {
				open()
				button, result := "button[name=do][value=test]", "[data-test-result]"
				if place == "the webhook's page" {
					button, result = "form[action$='/test'] button", ".test-result"
				}
				c.click(button)
				c.until(fmt.Sprintf("document.querySelector('%s h2')?.textContent === %q", result, verdict))
				seen := fmt.Sprintf(verdictSeen, result)
				if !eval[bool](c, seen) {
					t.Errorf("%s at %d px: %q is not in sight: %s", place, size[0], verdict,
						eval[string](c, "JSON.stringify(document.querySelector('"+result+" h2').getBoundingClientRect()) + ' of ' + innerHeight"))
				}
			}
		}
	}
	found.none(t)
}

// TestSelectArrowsStayBehind: an element that opens over a select, or stays
// over it while the form is scrolled, hides it with its arrows.
func TestSelectArrowsStayBehind(t *testing.T) {
	in, b, c, found := atConsole(t)
	b.CreateWebhook(apptest.WebhookForm("https://example.com/hook"))
	c.viewport(1280, 700)
	c.open(in.Base + "/admin/webhooks")
	c.click("summary:is(.s-btn__dropdown)")
	c.hidesSelects("the menu of other types", ".s-page-title--actions .pop", ".bar .s-select")

	c.viewport(360, 640)
	c.open(in.Base + "/admin/webhooks")
	c.click("a[aria-label='Edit Everything']")
	c.until("document.querySelector('dialog[open] [data-preview] .big')")
	for _, area := range []string{".form-head", ".form-foot"} {
		c.run(fmt.Sprintf(`(() => {
			const dialog = document.querySelector("dialog"), bar = dialog.querySelector(%q).getBoundingClientRect();
			const select = document.getElementById("community").getBoundingClientRect();
			dialog.scrollTop += select.top + select.height / 2 - bar.top - bar.height / 2;
		})()`, area))
		c.hidesSelects("the dialog's "+area, "dialog "+area, "#community")
	}
	found.none(t)
}

// hidesSelects compares the elements over selects with a page without selects.
// Behind names one that has to lie there.
func (c *chrome) hidesSelects(what, over, behind string) {
	c.t.Helper()
	c.until("document.getAnimations().length === 0")
	box := eval[[]float64](c, fmt.Sprintf("(r => [r.left, r.top, r.right, r.bottom])(document.querySelector(%q).getBoundingClientRect())", over))
	if !eval[bool](c, fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => {
		const a = (e.closest(".s-select") ?? e).getBoundingClientRect(), b = document.querySelector(%q).getBoundingClientRect();
		return a.right > b.left && a.left < b.right && a.bottom > b.top && a.top < b.bottom;
	})`, behind, over)) {
		c.t.Errorf("%s lies over no select", what)
	}
	with := c.pixels(box)
	c.run(fmt.Sprintf(`[...document.querySelectorAll(".s-select")].filter((e) => !document.querySelector(%q).contains(e)).forEach((e) => { e.style.visibility = "hidden"; })`, over))
	without := c.pixels(box)
	if !bytes.Equal(with, without) {
		c.t.Errorf("a select can be seen through %s", what)
	}
	c.run(`document.querySelectorAll(".s-select").forEach((e) => { e.style.visibility = ""; })`)
}

// pixels are those of a part of the window: left, top, right, bottom.
func (c *chrome) pixels(box []float64) []byte {
	c.t.Helper()
	shot, err := chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
	ok(c.t, err)
	picture, err := png.Decode(bytes.NewReader(shot))
	ok(c.t, err)
	var list []byte
	for y := int(box[1]) + 1; y < int(box[3])-1; y++ {
		for x := int(box[0]) + 1; x < int(box[2])-1; x++ {
			if (image.Point{x, y}).In(picture.Bounds()) {
				r, g, b, _ := picture.At(x, y).RGBA()
				list = append(list, byte(r>>8), byte(g>>8), byte(b>>8))
			}
		}
	}
	return list
}
