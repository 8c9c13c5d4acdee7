package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// chrome is a tab of a real browser.
type chrome struct {
	t   testing.TB
	ctx context.Context
}

// newChrome starts Chromium with an empty profile. It fails where there is none.
func newChrome(t testing.TB) *chrome {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	limited, cancel := context.WithTimeout(tab, 4*time.Minute)
	t.Cleanup(cancel)
	return &chrome{t, limited}
}

func (c *chrome) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ok(c.t, chromedp.Do(c.ctx, steps...))
}

func (c *chrome) open(address string) {
	c.t.Helper()
	c.do(chromedp.Navigate(address))
}

// eval returns the value of a JavaScript expression.
func eval[T any](c *chrome, expression string) T {
	c.t.Helper()
	v, err := chromedp.Run(c.ctx, chromedp.Evaluate[T](expression))
	ok(c.t, err)
	return v
}

// login logs in by the form, as a person does.
func (c *chrome) login(base, email, password string) {
	c.t.Helper()
	c.open(base + "/login")
	c.do(
		chromedp.SendKeys("input[name=email]", email),
		chromedp.SendKeys("input[name=password]", password),
	)
	_, err := chromedp.RunResponse(c.ctx, chromedp.Submit("input[name=password]"))
	ok(c.t, err)
}

func (c *chrome) viewport(width, height int64) {
	c.t.Helper()
	c.do(chromedp.EmulateViewport(width, height))
}

// theme makes the browser prefer light or dark.
func (c *chrome) theme(name string) {
	c.t.Helper()
	_, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	ok(c.t, err)
}
