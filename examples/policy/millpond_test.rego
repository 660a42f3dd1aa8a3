# What the policy denies and what it lets through: `opa test examples/policy`, `conftest verify --policy examples/policy`.
# Each test looks at one document, which is named after `with input as`.
package main

import rego.v1

# A plan that moves a wave, as it should be.
moves := {
	"source": {"dirty": false},
	"resource_changes": [
		{
			"address": "acme/source_server/web-1",
			"tenant": "acme",
			"type": "source_server",
			"name": "web-1",
			"side": "source",
			"migration_action": "stop",
			"reversible": true,
			"change": {"actions": ["update"], "before": {"power": "on"}, "after": {"power": "off"}},
		},
		{
			"address": "acme/server/db-1",
			"tenant": "acme",
			"type": "server",
			"name": "db-1",
			"side": "target",
			"migration_action": "create",
			"reversible": true,
			"change": {"actions": ["create"], "before": null, "after": {"name": "db-1", "flavor": "db.large"}},
		},
	],
	"tenants": [{"tenant": "acme", "resource_changes": [{}], "outage": {"servers": {"acme/server/db-1": 48}}}],
}

ends := {
	"source": {"dirty": false},
	"resource_changes": [{
		"address": "acme/source_volume/data",
		"tenant": "acme",
		"type": "source_volume",
		"name": "data",
		"side": "source",
		"migration_action": "delete",
		"reversible": false,
		"change": {"actions": ["delete"], "before": {"name": "data"}, "after": null},
	}],
	"tenants": [{"tenant": "acme", "resource_changes": [{}], "outage": {"servers": {}}}],
}

ends_beside_another := object.union(ends, {"tenants": [
	{"tenant": "acme", "resource_changes": [{}], "outage": {"servers": {}}},
	{"tenant": "globex", "resource_changes": [{}], "outage": {"servers": {}}},
]})

takes_long := object.union(moves, {"tenants": [{"tenant": "acme", "resource_changes": [{}], "outage": {"servers": {"acme/server/db-1": 601}}}]})

stops_many := object.union(moves, {"resource_changes": [change |
	some number in numbers.range(1, most_stopped + 1)
	change := object.union(moves.resource_changes[0], {"address": sprintf("acme/source_server/web-%d", [number])})
]})

resizes_a_database := object.union(moves, {"resource_changes": [object.union(
	moves.resource_changes[1],
	{"change": {"actions": ["create"], "before": null, "after": {"name": "db-1", "flavor": "m2.large"}}},
)]})

not_committed := object.union(moves, {"source": {"dirty": true}})

test_a_wave_may_move if {
	found := deny with input as moves
	found == set()
}

test_nothing_is_warned_of_what_can_be_undone if {
	found := warn with input as moves
	found == set()
}

test_a_tenant_may_end_alone if {
	found := deny with input as ends
	found == set()
}

test_what_cannot_be_undone_is_warned_of if {
	found := warn with input as ends
	found == {"acme/source_volume/data (delete) cannot be undone"}
}

test_a_tenant_does_not_end_beside_another if {
	found := deny with input as ends_beside_another
	found == {"acme/source_volume/data is deleted for good, and the same plan changes globex: decommission in a request of its own"}
}

test_an_outage_is_not_longer_than_agreed if {
	found := deny with input as takes_long
	found == {"acme/server/db-1 would be down for about 601 s, at most 600 are allowed"}
}

test_not_too_many_servers_stop_at_once if {
	found := deny with input as stops_many
	found == {"the plan stops 51 servers, at most 50 are allowed"}
}

test_a_database_keeps_its_flavor if {
	found := deny with input as resizes_a_database
	found == {"acme/server/db-1 would boot as m2.large: databases keep a flavor db.*"}
}

test_only_what_is_committed_is_planned if {
	found := deny with input as not_committed
	found == {"the plan was made of documents that are not committed"}
}
