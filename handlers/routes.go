package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Routes is the whole list of URLs.
func (a *Areas) Routes() (*gin.Engine, error) {
	s := a.Site
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	if err := r.SetTrustedProxies(nil); err != nil { // s.addressed reads what proxies say
		return nil, err
	}
	guard, err := s.guardOrigin()
	if err != nil {
		return nil, err
	}
	r.Use(s.recovered, s.addressed, s.secured, s.ownHost, s.readable, guard)
	r.NoRoute(s.timed, s.memberOnly, s.on(func(*gin.Context) error { return notFound("There is no page at this address.") }))
	r.NoMethod(s.timed, s.memberOnly, s.on(func(*gin.Context) error {
		return &statusError{http.StatusMethodNotAllowed, "This address does not take that kind of request."}
	}))

	// Open to everybody.
	health := gin.WrapH(Health(a.deps.Ready, a.deps.Metrics, s.Log))
	get(r, "/healthz", health)
	get(r, "/readyz", health)
	get(r, "/metrics", health)
	if a.deps.Static != nil {
		get(r, "/static/*file", gin.WrapH(a.deps.Static))
	}
	get(r, "/login", s.on(a.Account.loginForm))
	r.POST("/login", s.on(a.Account.login))
	get(r, "/login/oidc", s.on(a.Account.oidc))
	r.POST("/logout", s.on(a.Account.logout))

	// The APIs: bearer tokens only, answered by packages of their own.
	if a.deps.Ingest != nil {
		r.POST("/api/v1/events", gin.WrapH(a.deps.Ingest))
	}
	if a.deps.SuperOffice != nil {
		r.Any("/superoffice/api/*path", gin.WrapH(a.deps.SuperOffice))
	}

	// Every member. Changes here are the member's own.
	shared := s.inPlace(s.pages, memberFlow)
	member := r.Group("/", s.timed, s.memberOnly, shared, s.querying)
	get(member, "/", s.on(s.home))
	member.POST("/theme", s.on(s.theme))
	member.POST("/attention", s.on(s.attentionAside))
	get(member, "/account/password", s.on(a.Account.passwordForm))
	member.POST("/account/password", s.on(a.Account.passwordChange))
	member.POST("/account/sessions", s.on(a.Account.sessionsEnd))
	get(member, "/admin/webhooks", s.on(a.Webhooks.webhooks))
	get(member, "/admin/webhooks/:id", s.on(a.Webhooks.webhook))
	get(member, "/admin/deliveries", s.on(a.Deliveries.deliveries))
	get(member, "/admin/deliveries/:id", s.on(a.Deliveries.delivery))
	get(member, "/admin/trigger-history", s.on(a.Triggers.triggerHistory))
	get(member, "/admin/trigger-history/:event", s.on(a.Triggers.triggerEvent))
	get(member, "/admin/suggestions/:of", s.on(s.suggestions))
	get(member, "/admin/locations", s.on(a.Admin.locations))
	get(member, "/admin/locations/:id", s.on(a.Admin.location))
	get(member, "/admin/members", s.on(a.Admin.members))
	get(member, "/admin/tokens", s.on(a.Admin.tokens))
	get(member, "/admin/audit", s.on(a.Admin.audit))
	get(member, "/admin/system", s.on(a.Admin.system))
	get(member, "/developer/site-settings", s.on(a.Admin.siteSettings))
	get(member, "/developer/site-settings/edit", s.on(a.Admin.siteSetting))

	// Exports have places of their own.
	export := r.Group("/", s.memberOnly, a.Deliveries.oneExport)
	get(export, "/admin/deliveries.csv", s.on(a.Deliveries.deliveriesCSV))
	get(export, "/admin/deliveries.json", s.on(a.Deliveries.deliveriesJSON))

	// Administrators: all that changes something, and the pages leading there.
	admins := r.Group("/", s.timed, s.memberOnly, s.adminOnly, shared, s.querying)
	get(admins, "/admin/webhooks/new", s.on(a.Webhooks.webhookNew))
	admins.POST("/admin/webhooks/new", s.on(a.Webhooks.webhookNewPost))
	get(admins, "/admin/webhooks/known", s.on(a.Webhooks.webhookKnown))
	get(admins, "/admin/webhooks/bulk", s.on(a.Webhooks.webhooksBulk))
	admins.POST("/admin/webhooks/bulk", s.long, s.on(a.Webhooks.webhooksBulkPost))
	get(admins, "/admin/webhooks/:id/edit", s.on(a.Webhooks.webhookEdit))
	admins.POST("/admin/webhooks/:id/edit", s.long, s.on(a.Webhooks.webhookEditPost))
	get(admins, "/admin/webhooks/:id/duplicate", s.on(a.Webhooks.webhookDuplicate))
	get(admins, "/admin/webhooks/:id/delete", s.on(a.Webhooks.webhookDelete))
	admins.POST("/admin/webhooks/:id/delete", s.long, s.on(a.Webhooks.webhookDeletePost))
	get(admins, "/admin/webhooks/:id/reveal", s.on(a.Webhooks.webhookReveal))
	admins.POST("/admin/webhooks/:id/reveal", s.on(a.Webhooks.webhookRevealPost))
	get(admins, "/admin/webhooks/:id/pause", s.on(s.up))
	admins.POST("/admin/webhooks/:id/pause", s.on(a.Webhooks.webhookPause))
	get(admins, "/admin/webhooks/:id/resume", s.on(s.up))
	admins.POST("/admin/webhooks/:id/resume", s.long, s.on(a.Webhooks.webhookResume))
	get(admins, "/admin/webhooks/:id/test", s.on(s.up))
	admins.POST("/admin/webhooks/:id/test", s.on(a.Webhooks.webhookTest))
	get(admins, "/admin/webhooks/:id/claim", s.on(s.up))
	admins.POST("/admin/webhooks/:id/claim", s.on(a.Webhooks.webhookClaim))
	get(admins, "/admin/deliveries/:id/resend", s.on(s.up))
	admins.POST("/admin/deliveries/:id/resend", s.on(a.Deliveries.deliveryResend))
	get(admins, "/admin/deliveries/resend", s.on(a.Deliveries.deliveriesResend))
	admins.POST("/admin/deliveries/resend", s.long, s.on(a.Deliveries.deliveriesResendPost))
	get(admins, "/admin/deliveries/resent", s.on(a.Deliveries.deliveriesResent))
	get(admins, "/admin/trigger-history/:event/erase", s.on(a.Triggers.triggerErase))
	admins.POST("/admin/trigger-history/:event/erase", s.long, s.on(a.Triggers.triggerErasePost))
	admins.POST("/admin/locations", s.on(a.Admin.locationNew))
	admins.POST("/admin/locations/:id", s.on(a.Admin.locationDescribe))
	get(admins, "/admin/empty-locations", s.on(a.Admin.locationsEmpty))
	admins.POST("/admin/empty-locations", s.long, s.on(a.Admin.locationsEmptyPost))
	get(admins, "/admin/locations/:id/remove", s.on(a.Admin.locationRemove))
	admins.POST("/admin/locations/:id/remove", s.on(a.Admin.locationRemovePost))
	admins.POST("/admin/members", s.on(a.Admin.memberAdd))
	get(admins, "/admin/members/:id", s.on(a.Admin.member))
	get(admins, "/admin/members/:id/role", s.on(a.Admin.memberRoleForm))
	admins.POST("/admin/members/:id/role", s.on(a.Admin.memberRole))
	get(admins, "/admin/members/:id/password", s.on(s.up))
	admins.POST("/admin/members/:id/password", s.on(a.Admin.memberPassword))
	get(admins, "/admin/members/:id/disable", s.on(a.Admin.memberDisable))
	admins.POST("/admin/members/:id/disable", s.on(a.Admin.memberDisablePost))
	get(admins, "/admin/members/:id/enable", s.on(s.up))
	admins.POST("/admin/members/:id/enable", s.on(a.Admin.memberEnable))
	get(admins, "/admin/members/:id/remove", s.on(a.Admin.memberRemove))
	admins.POST("/admin/members/:id/remove", s.on(a.Admin.memberRemovePost))
	admins.POST("/admin/tokens", s.on(a.Admin.tokenNew))
	get(admins, "/admin/tokens/:id/revoke", s.on(a.Admin.tokenRevoke))
	admins.POST("/admin/tokens/:id/revoke", s.on(a.Admin.tokenRevokePost))
	admins.POST("/developer/site-settings/edit", s.long, s.on(a.Admin.siteSettingPost))
	return r, nil
}

// get registers a page; HEAD is answered as GET without its body.
func get(r gin.IRoutes, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}
