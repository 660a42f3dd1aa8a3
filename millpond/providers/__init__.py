"""The only room that imports openstack or infinisdk."""
