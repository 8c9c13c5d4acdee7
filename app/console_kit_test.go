package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// complaints are the browser's errors about the pages: errors of scripts,
// refused or missing files, breaches of the content security policy.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (l *complaints) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, fmt.Sprintf(format, args...))
}

// none fails the test if there are any, and drops them.
func (l *complaints) none(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.list {
		t.Error(line)
	}
	l.list = nil
}

// watch collects the browser's complaints from now on.
func (c *chrome) watch() *complaints {
	c.t.Helper()
	found := &complaints{}
	ok(c.t, chromedp.Listen(c.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			found.add("script: %s %s", e.ExceptionDetails.Text, e.ExceptionDetails.URL)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				found.add("console: %v", e.Args)
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				found.add("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
			}
		}
	}))
	_, err := chromedp.Call(c.ctx, log.Enable, cdp.Empty{})
	ok(c.t, err)
	return found
}

// until waits until an expression of the page holds.
func (c *chrome) until(expression string) {
	c.t.Helper()
	var last string
	defer func() {
		if c.t.Failed() && last != "" {
			c.t.Logf("the page is %s", last)
		}
	}()
	apptest.Eventually(c.t, expression, func() bool {
		v, err := chromedp.Run(c.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && !v {
			last, _ = chromedp.Run(c.ctx, chromedp.Evaluate[string](`location.href + document.querySelector("main .s-notice")?.textContent + " with the focus on " + document.activeElement?.outerHTML.slice(0, 300) +
				" and in its form " + new URLSearchParams(new FormData(document.querySelector("form[data-webhook-form]") ?? undefined))`))
		}
		return err == nil && v
	})
}

// keys presses keys, wherever the focus is.
func (c *chrome) keys(keys string) {
	c.t.Helper()
	c.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until the element has the focus.
func (c *chrome) tabTo(selector string) {
	c.t.Helper()
	here := fmt.Sprintf("Boolean(document.activeElement?.matches(%q))", selector)
	for range 120 {
		if eval[bool](c, here) {
			return
		}
		c.keys(kb.Tab)
	}
	c.t.Fatalf("Tab does not reach %s", selector)
}

// enter types into a field, in place of its content.
func (c *chrome) enter(selector, text string) {
	c.t.Helper()
	c.run(fmt.Sprintf("document.querySelector(%q).select()", selector))
	c.do(chromedp.SendKeys(selector, text))
}

// run runs a script for its effect.
func (c *chrome) run(script string) {
	c.t.Helper()
	eval[bool](c, "("+script+", true)")
}

func (c *chrome) click(selector string) {
	c.t.Helper()
	c.do(chromedp.Click(selector))
}

// words is the text of an element with single spaces; empty: there is none.
func (c *chrome) words(selector string) string {
	c.t.Helper()
	return strings.Join(strings.Fields(eval[string](c, fmt.Sprintf("document.querySelector(%q)?.textContent ?? ''", selector))), " ")
}

// fits fails when the page can be scrolled sideways.
func (c *chrome) fits(what string) {
	c.t.Helper()
	if wide := eval[string](c, `(() => {
		const root = document.documentElement, room = root.clientWidth;
		if (root.scrollWidth <= room) return "";
		const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > room + 1);
		return root.scrollWidth + " px: " + out.slice(-3).map((e) => e.outerHTML.slice(0, 120)).join(" | ");
	})()`); wide != "" {
		c.t.Errorf("%s scrolls sideways: %s", what, wide)
	}
}
