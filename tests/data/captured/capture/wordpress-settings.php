<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:WORK/sql');
define('WP_CONTENT_DIR', '/usr/share/wordpress/wp-content');
define('DISABLE_WP_CRON', true);
