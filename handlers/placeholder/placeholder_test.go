package placeholder_test

import (
	"testing"

	"github.com/sitehooks/sitehooks/handlers/placeholder"
)

func TestNamesOfVariables(t *testing.T) {
	for got, want := range map[string]string{
		placeholder.Webhook("python-accepted").Secret(1):         "${PYTHON_ACCEPTED_SECRET_1}",
		placeholder.Webhook("python--accepted").Secret(1):        "${PYTHON__ACCEPTED_SECRET_1}",
		placeholder.Webhook("42-x").URL():                        "${WEBHOOK_42_X_URL}",
		placeholder.Webhook("-x").URL():                          "${WEBHOOK_X_URL}",
		placeholder.Webhook("chat").Header("X-Team.Ünit"):        "${CHAT_HEADER_X_TEAM__NIT}",
		placeholder.Webhook("chat").Header("1st"):                "${CHAT_HEADER_1ST}",
		placeholder.Source("python-accepted").Secret(2):          "${SOURCE_PYTHON_ACCEPTED_SECRET_2}",
		placeholder.Fill("a ${B_1} $${C} ${9} $$", lower):        "a <B_1> ${C} ${9} $$",
		placeholder.Fill(placeholder.Escape("$${A} ${B}"), fail): "$${A} ${B}",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func lower(name string) string { return "<" + name + ">" }

func fail(name string) string { panic("there is no variable in it: " + name) }
