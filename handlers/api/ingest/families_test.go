package ingest

import (
	"strings"
	"testing"
)

// TestListedNames writes out every listed name, so that the list cannot lose
// one unseen.
func TestListedNames(t *testing.T) {
	names := map[Kind]string{
		kindPost: "question.created question.edited answer.created answer.edited answer.accepted",
		kindData: "comment.created comment.accepted comment.deleted topic.created topic.accepted topic.satisfaction_changed " +
			"user.created user.updated user.deleted team.created team.updated team.deleted " +
			"team_membership.created team_membership.deleted team_permission.created team_permission.deleted " +
			"project_permission.created project_permission.deleted",
		KindCRM: "contact.softdeleted person.softdeleted person.consented person.unconsented document.edited " +
			"sale.sold sale.lost sale.completed quote.approved quote.rejected quote.sent quote.ordered chatsession.message",
		KindCustom: "lead.scored webhook.created stack.test a.b a1_.b_2 project_member.created",
	}
	for entity := range strings.FieldsSeq("activity appointment associate contact document person project projectmember relation sale salestakeholder ticket chatsession quote") {
		for _, event := range []string{".created", ".changed", ".deleted"} {
			names[KindCRM] += " " + entity + event
		}
	}
	total := 0
	for want, list := range names {
		for name := range strings.FieldsSeq(list) {
			if got, fault := TypeKind(name); got != want || fault != "" {
				t.Errorf("%s is of kind %d: %s; want %d", name, got, fault, want)
			}
			if want != KindCustom {
				total++
			}
		}
	}
	if total != len(eventTypes.kinds) {
		t.Errorf("%d names are listed, %d were expected", len(eventTypes.kinds), total)
	}
}

func TestMetricTypesAreLimited(t *testing.T) {
	for name, want := range map[string]string{"sale.sold": "sale.sold", "lead.scored": "custom", "question.edited": "question.edited"} {
		if got := MetricType(name); got != want {
			t.Errorf("%s counts as %s", name, got)
		}
	}
}
