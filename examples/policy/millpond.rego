# What no plan may do, however many people approved it: for conftest (`conftest test --policy examples/policy plan.json`) and for
# Atlantis' policy check. The document is `millpond plan -o plan.json`. Its `resource_changes` are shaped as Terraform's, so that rules
# written for Terraform's plans read it; what a migration has beyond that stands beside them: side, wave, reversible, outage, danger.
package main

import rego.v1

# Seconds that a server may be down, and servers that one plan may stop.
longest_outage := 600

most_stopped := 50

# A plan that deletes something on the source for good does nothing else: it is reviewed for that alone.
deny contains msg if {
	some change in input.resource_changes
	change.side == "source"
	"delete" in change.change.actions
	some other in input.tenants
	other.tenant != change.tenant
	count(other.resource_changes) > 0
	msg := sprintf("%s is deleted for good, and the same plan changes %s: decommission in a request of its own", [change.address, other.tenant])
}

deny contains msg if {
	some tenant in input.tenants
	some server, seconds in tenant.outage.servers
	seconds > longest_outage
	msg := sprintf("%s would be down for about %d s, at most %d are allowed", [server, round(seconds), longest_outage])
}

deny contains msg if {
	stopped := {change.address |
		some change in input.resource_changes
		change.type == "source_server"
		change.migration_action == "stop"
	}
	count(stopped) > most_stopped
	msg := sprintf("the plan stops %d servers, at most %d are allowed", [count(stopped), most_stopped])
}

# A database is never resized on the way: its licences count cores.
deny contains msg if {
	some change in input.resource_changes
	change.type == "server"
	change.change.actions == ["create"]
	startswith(change.name, "db-")
	flavor := change.change.after.flavor
	not startswith(flavor, "db.")
	msg := sprintf("%s would boot as %s: databases keep a flavor db.*", [change.address, flavor])
}

deny contains msg if {
	input.source.dirty
	msg := "the plan was made of documents that are not committed"
}

warn contains msg if {
	some change in input.resource_changes
	not change.reversible
	msg := sprintf("%s (%s) cannot be undone", [change.address, change.migration_action])
}
