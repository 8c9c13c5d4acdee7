package jq

// StatusBytes reads a line of /proc/self/status.
var StatusBytes = statusBytes
