-- MySQL dump 10.13  Distrib 8.0
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
DROP TABLE IF EXISTS `categories`;
CREATE TABLE `categories` (
  `CategoryID` tinyint(5) unsigned NOT NULL AUTO_INCREMENT,
  `CategoryName` varchar(15) NOT NULL,
  `Description` mediumtext COMMENT 'shown below the name; may be long',
  `Picture` longblob,
  PRIMARY KEY (`CategoryID`),
  UNIQUE KEY `Uidx_categories_category_name` (`CategoryName`)
) ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='Kinds of products';

CREATE TABLE `customers` (
  `CustomerID` char(5) NOT NULL,
  `CompanyName` varchar(40) NOT NULL,
  `ContactName` varchar(30) DEFAULT NULL,
  `Country` varchar(15) DEFAULT 'UK',
  `Class` enum('gold','silver','no class') NOT NULL DEFAULT 'no class',
  `Interests` set('food','drinks') DEFAULT NULL,
  PRIMARY KEY (`CustomerID`),
  KEY `City` (`Country`,`CompanyName`(10)),
  FULLTEXT KEY `ft` (`CompanyName`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `employees` (
  `EmployeeID` mediumint(8) unsigned NOT NULL AUTO_INCREMENT,
  `LastName` varchar(20) NOT NULL,
  `BirthDate` date DEFAULT NULL,
  `Extension` varchar(4) DEFAULT NULL,
  `Notes` text NOT NULL,
  `ReportsTo` mediumint(8) unsigned DEFAULT NULL,
  `Salary` float DEFAULT NULL,
  `Active` tinyint(1) NOT NULL DEFAULT '1',
  `Flags` bit(1) NOT NULL DEFAULT b'0',
  PRIMARY KEY (`EmployeeID`),
  KEY `FK_employees_reports_to` (`ReportsTo`),
  CONSTRAINT `FK_employees_reports_to` FOREIGN KEY (`ReportsTo`) REFERENCES `employees` (`EmployeeID`) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `suppliers` (
  `SupplierID` smallint(5) unsigned NOT NULL AUTO_INCREMENT,
  `CompanyName` varchar(40) NOT NULL,
  `HomePage` varchar(2083) DEFAULT NULL,
  PRIMARY KEY (`SupplierID`)
) ENGINE=InnoDB;

CREATE TABLE `products` (
  `ProductID` smallint(5) unsigned NOT NULL AUTO_INCREMENT,
  `ProductName` varchar(40) NOT NULL,
  `SupplierID` smallint(5) unsigned NOT NULL,
  `CategoryID` tinyint(5) unsigned NOT NULL,
  `UnitPrice` decimal(10,2) unsigned NOT NULL DEFAULT '0.00',
  `UnitsInStock` smallint(5) unsigned NOT NULL DEFAULT '0',
  `Discontinued` enum('y','n') NOT NULL DEFAULT 'n',
  `CreatedAt` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `UpdatedAt` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `Weight` decimal(30,10) DEFAULT NULL,
  PRIMARY KEY (`ProductID`),
  KEY `idx_products_price` (`UnitPrice`),
  CONSTRAINT `FK_products_category_id` FOREIGN KEY (`CategoryID`) REFERENCES `categories` (`CategoryID`) ON UPDATE CASCADE,
  CONSTRAINT `FK_products_supplier_id` FOREIGN KEY (`SupplierID`) REFERENCES `suppliers` (`SupplierID`) ON UPDATE CASCADE,
  CONSTRAINT `few` CHECK (`UnitsInStock` <= 10000)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `orders` (
  `OrderID` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `CustomerID` char(5) NOT NULL,
  `EmployeeID` mediumint(8) unsigned NOT NULL,
  `OrderDate` datetime DEFAULT NULL,
  `ShipTime` time DEFAULT NULL,
  `Freight` double unsigned DEFAULT '0',
  PRIMARY KEY (`OrderID`),
  CONSTRAINT `FK_orders_customer_id` FOREIGN KEY (`CustomerID`) REFERENCES `customers` (`CustomerID`),
  CONSTRAINT `FK_orders_employee_id` FOREIGN KEY (`EmployeeID`) REFERENCES `employees` (`EmployeeID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `order details` (
  `OrderID` int(10) unsigned NOT NULL,
  `ProductID` smallint(5) unsigned NOT NULL,
  `UnitPrice` decimal(10,2) unsigned NOT NULL DEFAULT '999999.99',
  `Quantity` smallint(2) unsigned NOT NULL DEFAULT '1',
  `Discount` double(8,0) NOT NULL DEFAULT '0',
  PRIMARY KEY (`OrderID`,`ProductID`),
  CONSTRAINT `FK_order_details_order_id` FOREIGN KEY (`OrderID`) REFERENCES `orders` (`OrderID`) ON DELETE CASCADE,
  CONSTRAINT `FK_order_details_product_id` FOREIGN KEY (`ProductID`) REFERENCES `products` (`ProductID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

LOCK TABLES `categories` WRITE;
INSERT INTO `categories` VALUES (1,'Beverages','Soft drinks; coffees\'s',0x),(2,'Condiments','"Sweet"',NULL);
UNLOCK TABLES;

DELIMITER ;;
CREATE DEFINER=`root`@`localhost` PROCEDURE `CustOrderHist`(in AtCustomerID varchar(5))
BEGIN
  SELECT 1; SELECT 2;
END ;;
DELIMITER ;
/*!50001 CREATE VIEW `invoices` AS SELECT 1 */;
